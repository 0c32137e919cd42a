using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Sessions;

/// <summary>
/// Gives a document a session: the one that it has already, or a new one, with the kernel named by its id, or else a new kernel. Session
/// and kernel are stored in one transaction, and the kernel's start is not waited for. A document's session whose kernel has died for good
/// gets that kernel started again: who asks wants one that runs.
/// Errors: invalid-request, kernelspec-not-found, disk-full.
/// </summary>
public sealed class StartSession(
    StateStore store,
    SessionLedger ledger,
    StartKernel startKernel,
    RestartKernel restartKernel,
    string root,
    TimeProvider time
)
{
    /// <summary>Tells code in a kernel which document it belongs to; Jupyter's servers set it, too.</summary>
    private const string DocumentVariable = "JPY_SESSION_NAME";

    /// <summary>The kernel that a document has without a session, by its absolute path: a reactive notebook keeps one.</summary>
    internal Func<StoreReader, string, KernelId?>? KernelOfDocument { get; init; }

    public async Task<SessionId> RunAsync(StartSessionRequest request, CancellationToken cancellationToken)
    {
        using IDisposable turn = await ledger.TakeTurnAsync(cancellationToken);
        if (store.Read(reader => SessionsTable.OfPath(reader, request.Path)) is { } existing)
        {
            if (store.Read(reader => KernelsTable.Find(reader, existing.KernelId)) is { State: KernelState.Dead })
            {
                await restartKernel.BeginAsync(existing.KernelId, cancellationToken);
            }

            return existing.Id;
        }

        Session draft = ledger.WithFile(
            new Session(SessionId.New(), request.Path, request.Name ?? NameOf(request.Path), request.Type, default, time.NowMicroseconds())
        );
        if (
            (request.KernelId ?? KeptKernel(request)) is { } given
            && store.Read(reader => KernelsTable.Find(reader, given)) is { State: not KernelState.Stopped }
        )
        {
            await store.WriteAsync(transaction => ledger.Add(transaction, draft with { KernelId = given }), cancellationToken);
            return draft.Id;
        }

        await startKernel.BeginAsync(
            KernelFor(root, request.Path, request.SpecName),
            cancellationToken,
            (transaction, kernel) => ledger.Add(transaction, draft with { KernelId = kernel.Id })
        );
        return draft.Id;
    }

    /// <summary>Null also where a client wants another kernelspec than its.</summary>
    private KernelId? KeptKernel(StartSessionRequest request) =>
        store.Read(reader =>
            KernelOfDocument?.Invoke(reader, Path.GetFullPath(request.Path.TrimStart('/'), root)) is { } kept
            && KernelsTable.Find(reader, kept) is { State: KernelState.Running or KernelState.Starting } kernel
            && (request.SpecName is null || request.SpecName == kernel.SpecName)
                ? kept
                : (KernelId?)null
        );

    /// <summary>A kernel that works in the document's folder.</summary>
    internal static StartKernelRequest KernelFor(string root, string path, string? specName)
    {
        string directory = KernelDirectory.For(root, Path.GetDirectoryName(path));
        return new StartKernelRequest
        {
            SpecName = specName,
            WorkingDirectory = directory,
            Hints = new Dictionary<string, string> { [DocumentVariable] = Path.Combine(directory, NameOf(path)) },
        };
    }

    private static string NameOf(string path) => Path.GetFileName(path.TrimEnd('/'));
}
