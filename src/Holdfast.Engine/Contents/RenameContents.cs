using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Contents;

/// <summary>
/// Renames or moves an entry, its checkpoint with it; nothing is replaced. Errors: contents-not-found (the entry, or the new folder),
/// contents-exists, invalid-request, contents-not-writable.
/// </summary>
public sealed class RenameContents(ContentsRoot root, UnsavedResults unsaved)
{
    /// <summary>Told when an entry has another name: the old and the new absolute path.</summary>
    internal Action<string, string>? Moved { get; init; }

    internal NotebookAssets? Assets { get; init; }

    /// <summary>With it go its kernels and what notebooks under the old name refer to.</summary>
    public async Task<ContentsModel> RunAsync(ContentsPath from, ContentsPath to)
    {
        Actor.Does(nameof(RenameContents), from.Text, $"to {to.Text}");
        (ContentsModel model, string before, string now) = await Task.Run(() => Run(from, to));
        if (before != now)
        {
            await unsaved.MovedAsync(before, now);
            if (Assets is not null)
            {
                await Assets.MovedAsync(before, now);
                await Assets.MovedAsync(Checkpoint.RealPathOf(before), Checkpoint.RealPathOf(now));
            }
        }

        return model;
    }

    private (ContentsModel Model, string Before, string Now) Run(ContentsPath from, ContentsPath to)
    {
        using Place source = root.FindEntry(from);
        using Place target = root.FindEntry(to);
        if (source.Status is not { } status)
        {
            throw from.NotFound();
        }

        if (source.RealPath != target.RealPath)
        {
            Move(source, target, status);
            Moved?.Invoke(Path.Combine(root.Folder, from.Text), Path.Combine(root.Folder, to.Text));
        }

        using Place moved = root.Find(to);
        return (ContentsModels.Of(moved), source.RealPath, target.RealPath);
    }

    private static void Move(Place source, Place target, EntryStatus status)
    {
        int errno = PosixFiles.RenameNew(source.Access, target.Access);
        switch (errno)
        {
            case 0:
                break;
            case Libc.Eexist:
                throw new RefusedException(
                    ErrorCodes.ContentsExists,
                    $"There is already something named '{target.Path}'; it was not replaced."
                );
            case PosixFiles.NoEntry:
                throw source.Path.NotFound();
            case PosixFiles.Invalid:
                throw new RefusedException(ErrorCodes.InvalidRequest, $"The folder '{source.Path}' cannot be moved into itself.");
            case PosixFiles.CrossDevice:
                throw new RefusedException(
                    ErrorCodes.ContentsNotWritable,
                    $"'{source.Path}' and '{target.Path}' are on different disks; copy it and delete the old one."
                );
            default:
                throw new RefusedException(
                    ErrorCodes.ContentsNotWritable,
                    $"'{source.Path}' cannot be renamed: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(errno)}."
                );
        }

        DurableFile.SyncDirectory(target.FolderAccess);
        if (source.FolderAccess != target.FolderAccess)
        {
            DurableFile.SyncDirectory(source.FolderAccess);
        }

        if (status.Kind != EntryKind.Folder)
        {
            Checkpoint.Move(source, target);
        }
    }
}
