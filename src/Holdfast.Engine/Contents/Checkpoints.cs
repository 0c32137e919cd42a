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

/// <summary>Makes a file's checkpoint, in place of the one before. Errors: contents-not-found, contents-not-writable, disk-full.</summary>
public sealed class CreateCheckpoint(ContentsRoot root)
{
    public CheckpointModel Run(ContentsPath path)
    {
        using Place file = CheckpointedFile.Find(root, path);
        Checkpoint.Create(file);
        return new CheckpointModel(Checkpoint.Id, Checkpoint.ModifiedAt(file) ?? throw CheckpointedFile.NotFound(path, Checkpoint.Id));
    }
}

/// <summary>Puts a file back to its checkpoint, which stays. Errors: contents-not-found, checkpoint-not-found, contents-not-writable, disk-full.</summary>
public sealed class RestoreCheckpoint(ContentsRoot root)
{
    public void Run(ContentsPath path, string id)
    {
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

    public static RefusedException NotFound(ContentsPath path, string id) => new(ErrorCodes.CheckpointNotFound, $"'{path}' has no checkpoint '{id}'.");
}
