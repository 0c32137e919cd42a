using Holdfast.Engine.Assets;
using Holdfast.Engine.Contents;

namespace Holdfast.Engine.Notebooks;

/// <summary>What a recovery found, by the cells' order.</summary>
/// <param name="IsSaved">The file was written: something was restored, and it was no dry run.</param>
public sealed record NotebookRecovery(string Path, IReadOnlyList<RestoredCell> Cells, bool IsSaved);

/// <summary>
/// Puts into a notebook's file what its cells have said since it was saved; cells whose source was changed meanwhile are left as they are,
/// and named.
/// Errors: notebook-not-found, notebook-unreadable, notebook-not-writable, notebook-invalid and its like, disk-full.
/// </summary>
public sealed class RecoverNotebook(string root, TrustedNotebooks trusted, UnsavedResults unsaved)
{
    /// <param name="path">Absolute, or from the root folder.</param>
    public async Task<NotebookRecovery> RunAsync(string path, bool isDryRun)
    {
        Actor.Does(isDryRun ? null : nameof(RecoverNotebook), System.IO.Path.GetFullPath(path, root));
        if (!isDryRun && Outputs is not null)
        {
            _ = Run(path, isDryRun: true, out List<LargeOutput> unkept);
            await Outputs.StoreAsync(unkept, NotebookStorage.RealPathOf(System.IO.Path.GetFullPath(path, root)), CancellationToken.None);
        }

        NotebookRecovery recovery = Run(path, isDryRun, out List<LargeOutput> left);
        if (!isDryRun)
        {
            await unsaved.SettleAsync(recovery.Path, NotebookStorage.RealPathOf(recovery.Path), left);
        }

        if (recovery.IsSaved && Assets is not null)
        {
            string real = NotebookStorage.RealPathOf(recovery.Path);
            await Assets.SeenAsync(real, NotebookStorage.Read(real, out _));
        }

        return recovery;
    }

    /// <summary>For a notebook that is gone.</summary>
    internal Task ForgetAsync(string path) => unsaved.SettleAsync(path, path, []);

    internal NotebookAssets? Assets { get; init; }

    internal OutputAssets? Outputs { get; init; }

    /// <summary>The same, without keeping as assets what is too large.</summary>
    public NotebookRecovery Run(string path, bool isDryRun) => Run(path, isDryRun, out _);

    private NotebookRecovery Run(string path, bool isDryRun, out List<LargeOutput> unkept)
    {
        string full = System.IO.Path.GetFullPath(path, root);
        string real = NotebookStorage.RealPathOf(full);
        using Lock.Scope hold = WholeFile.Hold(real);
        byte[] before = NotebookStorage.Read(real, out Holdfast.Protocol.Processes.FileStatus status);
        NotebookFile notebook = NotebookFile.Parse(before, real);
        IReadOnlyList<RestoredCell> cells = unsaved.ApplyTo(
            notebook,
            full,
            real,
            status.ModifiedNanoseconds,
            tellsConflicts: false,
            out unkept
        );
        if (isDryRun || !cells.Any(static c => c.IsRestored))
        {
            return new NotebookRecovery(full, cells, IsSaved: false);
        }

        bool wasTrusted = trusted.Has(TrustedNotebooks.HashOf(before));
        byte[] after = notebook.ToBytes();
        _ = NotebookStorage.Write(real, status, output => output(after), status);
        if (wasTrusted)
        {
            trusted.Add(TrustedNotebooks.HashOf(after)); // What was added came from this server's own kernels.
        }

        return new NotebookRecovery(full, cells, IsSaved: true);
    }
}
