using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Contents;

/// <summary>A file's checkpoint as clients know it; the time is in microseconds since 1970.</summary>
public sealed record CheckpointModel(string Id, long ModifiedAt);

/// <summary>Lists a file's checkpoints: one, or none. Errors: contents-not-found.</summary>
public sealed class ListCheckpoints(ContentsRoot root)
{
    public IReadOnlyList<CheckpointModel> Run(ContentsPath path)
    {
        using Place file = CheckpointedFile.Find(root, path);
        return Checkpoint.ModifiedAt(file) is { } at ? [new CheckpointModel(Checkpoint.Id, at)] : [];
    }
}

/// <summary>
/// Makes a file's checkpoint, in place of the one before; what a notebook's refers to is kept for it. Errors: contents-not-found,
/// contents-not-writable, disk-full.
/// </summary>
public sealed class CreateCheckpoint(ContentsRoot root)
{
    internal NotebookAssets? Assets { get; init; }

    public async Task<CheckpointModel> RunAsync(ContentsPath path)
    {
        if (Assets is null || !CheckpointedFile.IsNotebook(path))
        {
            return await Task.Run(() => Run(path));
        }

        // Before, for what is about to be referred to, and after, when what the checkpoint before it referred to is not needed any more.
        string file = root.RealPathOf(path);
        await Assets.AboutToReferAsync(Checkpoint.RealPathOf(file), await Task.Run(() => CheckpointedFile.Read(file)));
        CheckpointModel made = await Task.Run(() => Run(path));
        await Assets.SeenAsync(Checkpoint.RealPathOf(file), await Task.Run(() => CheckpointedFile.Read(Checkpoint.RealPathOf(file))));
        return made;
    }

    public CheckpointModel Run(ContentsPath path)
    {
        Actor.Does(nameof(CreateCheckpoint), path.Text);
        using Place file = CheckpointedFile.Find(root, path);
        Checkpoint.Create(file);
        return new CheckpointModel(Checkpoint.Id, Checkpoint.ModifiedAt(file) ?? throw CheckpointedFile.NotFound(path, Checkpoint.Id));
    }
}

/// <summary>
/// Puts a file back to its checkpoint, which stays. Errors: contents-not-found, checkpoint-not-found, contents-not-writable, disk-full.
/// </summary>
public sealed class RestoreCheckpoint(ContentsRoot root)
{
    internal NotebookAssets? Assets { get; init; }

    public async Task RunAsync(ContentsPath path, string id)
    {
        await Task.Run(() => Run(path, id));
        if (Assets is not null && CheckpointedFile.IsNotebook(path))
        {
            string file = root.RealPathOf(path);
            await Assets.SeenAsync(file, await Task.Run(() => CheckpointedFile.Read(file)));
        }
    }

    public void Run(ContentsPath path, string id)
    {
        Actor.Does(nameof(RestoreCheckpoint), path.Text);
        using Place file = CheckpointedFile.Find(root, path);
        if (id != Checkpoint.Id || !Checkpoint.Restore(file))
        {
            throw CheckpointedFile.NotFound(path, id);
        }
    }
}

/// <summary>Deletes a file's checkpoint. Errors: contents-not-found, checkpoint-not-found.</summary>
public sealed class DeleteCheckpoint(ContentsRoot root)
{
    public void Run(ContentsPath path, string id)
    {
        Actor.Does(nameof(DeleteCheckpoint), path.Text);
        using Place file = CheckpointedFile.Find(root, path);
        if (id != Checkpoint.Id || !Checkpoint.Delete(file))
        {
            throw CheckpointedFile.NotFound(path, id);
        }
    }
}

/// <summary>The file that a request about checkpoints speaks of.</summary>
internal static class CheckpointedFile
{
    public static Place Find(ContentsRoot root, ContentsPath path)
    {
        Place place = root.Find(path);
        if (place.IsFile)
        {
            return place;
        }

        place.Dispose();
        throw path.NotFound();
    }

    public static bool IsNotebook(ContentsPath path) => path.Text.EndsWith(".ipynb", StringComparison.Ordinal);

    /// <summary>Empty when it is not there, or cannot be read: then it refers to nothing.</summary>
    public static byte[] Read(string path)
    {
        try
        {
            return NotebookStorage.Read(path, out _);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RefusedException)
        {
            return [];
        }
    }

    public static RefusedException NotFound(ContentsPath path, string id) =>
        new(ErrorCodes.CheckpointNotFound, $"'{path}' has no checkpoint '{id}'.");
}
