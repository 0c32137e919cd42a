namespace Holdfast.Engine.Contents;

/// <summary>A file open for reading at any place in it, with what a door has to say about it. Times are microseconds since 1970.</summary>
public sealed class OpenedFile(FileStream stream, string name, long modifiedAt, string mimeType, string tag) : IDisposable
{
    public FileStream Stream { get; } = stream;
    public string Name { get; } = name;
    public long Length { get; } = stream.Length;
    public long ModifiedAt { get; } = modifiedAt;
    public string MimeType { get; } = mimeType;

    /// <summary>Changes when the file is replaced or written: half of one must not be joined with half of another.</summary>
    public string Tag { get; } = tag;

    public void Dispose() => Stream.Dispose();
}

/// <summary>Opens a file's bytes as they are. Errors: contents-not-found, contents-not-readable, invalid-request for a folder.</summary>
public sealed class OpenContentsFile(ContentsRoot root)
{
    private const int LookBytes = 512;

    public OpenedFile Run(ContentsPath path)
    {
        using Place place = root.Find(path);
        if (!place.IsFile)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{path}' is a folder; only files can be read.");
        }

        FileStream file = place.OpenFile();
        EntryStatus status = EntryStatus.Of(file.SafeFileHandle);
        byte[] start = new byte[LookBytes];
        int length = RandomAccess.Read(file.SafeFileHandle, start, 0);
        string tag = string.Create(
            System.Globalization.CultureInfo.InvariantCulture,
            $"\"{status.Inode:x}-{status.Size:x}-{status.ModifiedNanoseconds:x}\""
        );
        return new OpenedFile(file, path.Name, status.ModifiedNanoseconds / 1000, MimeTypes.OfRaw(path.Name, start.AsSpan(0, length)), tag);
    }
}
