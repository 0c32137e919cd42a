namespace Holdfast.Engine.Contents;

/// <summary>
/// Makes models without content, and lists folders as Jupyter does: neither hidden files nor leftovers of programs, and nothing that a path
/// could not reach.
/// </summary>
internal static class ContentsModels
{
    private const int NanosecondsPerMicrosecond = 1000;

    public static ContentsModel Of(Place place, ContentsType? wanted = null)
    {
        EntryStatus status = place.Status ?? throw place.Path.NotFound();
        ContentsType type =
            status.Kind == EntryKind.Folder
                ? ContentsType.Directory
                : wanted ?? (place.Path.IsNotebook ? ContentsType.Notebook : ContentsType.File);
        return new ContentsModel
        {
            Path = place.Path,
            Type = type,
            CreatedAt = status.ChangedNanoseconds / NanosecondsPerMicrosecond,
            ModifiedAt = status.ModifiedNanoseconds / NanosecondsPerMicrosecond,
            Size = type == ContentsType.Directory ? null : status.Size,
            IsWritable = PosixFiles.IsWritable(place.Access),
            MimeType = type == ContentsType.File ? MimeTypes.Of(place.Path.Name) : null,
        };
    }

    /// <summary>As <see cref="Of"/>, after a change to it.</summary>
    public static ContentsModel OfChanged(Place place, ContentsType? wanted = null)
    {
        place.LookAgain();
        return Of(place, wanted);
    }

    public static List<ContentsModel> List(ContentsRoot root, Place folder)
    {
        var models = new List<ContentsModel>();
        foreach (string entry in Names(folder))
        {
            ContentsPath path = folder.Path.Child(entry);
            if (root.Hides(path) || IsLeftover(entry))
            {
                continue;
            }

            try
            {
                using Place place = root.Find(path);
                models.Add(Of(place));
            }
            catch (RefusedException)
            {
                // A link that leads nowhere or out, a socket, or gone since: as if it were not there.
            }
        }

        return models;
    }

    private static List<string> Names(Place folder)
    {
        try
        {
            return [.. Directory.EnumerateFileSystemEntries(folder.Access).Select(static p => Path.GetFileName(p))];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(
                ErrorCodes.ContentsNotReadable,
                $"The folder '{folder.Path}' cannot be read: the server may not open it."
            );
        }
    }

    private static bool IsLeftover(string name) =>
        name is "__pycache__" or ".DS_Store"
        || name.EndsWith(".pyc", StringComparison.Ordinal)
        || name.EndsWith(".pyo", StringComparison.Ordinal)
        || name.EndsWith('~');
}
