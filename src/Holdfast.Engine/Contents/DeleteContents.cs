using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Contents;

/// <summary>
/// Deletes an entry: into the trash of the user the server runs as, folders with all they hold. Where there is no trash, or it lies on
/// another disk, for good, and then a folder must be empty but for checkpoints. Errors: contents-not-found, invalid-request,
/// folder-not-empty, contents-not-writable.
/// </summary>
public sealed class DeleteContents(ContentsRoot root, Trash? trash, UnsavedResults unsaved)
{
    private const string CheckpointFolder = ".ipynb_checkpoints";

    /// <summary>Told when an entry is gone: its absolute path.</summary>
    internal Action<string>? Deleted { get; init; }

    public async Task RunAsync(ContentsPath path)
    {
        Actor.Does(nameof(DeleteContents), path.Text);
        await unsaved.DeletedAsync(await Task.Run(() => Run(path)));
    }

    /// <summary>The path where it was.</summary>
    private string Run(ContentsPath path)
    {
        using Place place = root.FindEntry(path);
        if (place.Status is not { } status)
        {
            throw path.NotFound();
        }

        try
        {
            if (trash?.TryTake(place, status) != true)
            {
                DeleteForGood(place, status);
            }

            if (status.Kind != EntryKind.Folder)
            {
                _ = Checkpoint.Delete(place);
            }

            DurableFile.SyncDirectory(place.FolderAccess);
            Deleted?.Invoke(Path.Combine(root.Folder, path.Text));
            return place.RealPath;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SaveContents.NotWritable(path, e);
        }
    }

    private static void DeleteForGood(Place place, EntryStatus status)
    {
        if (status.Kind != EntryKind.Folder)
        {
            File.Delete(place.Access); // A link itself, never what it leads to.
            return;
        }

        if (Directory.EnumerateFileSystemEntries(place.Access).Any(static e => Path.GetFileName(e) != CheckpointFolder))
        {
            throw new RefusedException(
                ErrorCodes.FolderNotEmpty,
                $"The folder '{place.Path}' is not empty, and there is no trash to move it to. Delete what is in it first."
            );
        }

        Directory.Delete(place.Access, recursive: true);
    }
}
