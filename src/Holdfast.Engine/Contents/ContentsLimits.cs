namespace Holdfast.Engine.Contents;

/// <summary>The bounds of the contents operations.</summary>
public static class ContentsLimits
{
    /// <summary>A file whose content is asked for as JSON is held whole; larger ones are read from /files, which streams.</summary>
    public const long ContentBytesMax = 256L << 20;

    /// <summary>An upload that nobody goes on with for so long is given up, and its file removed.</summary>
    public static readonly TimeSpan UploadIdleMax = TimeSpan.FromHours(1);

    /// <summary>For so long after a chunk nobody else may begin an upload of the same file: the chunks do not say whose they are.</summary>
    public static readonly TimeSpan UploadQuietTime = TimeSpan.FromSeconds(10);
}
