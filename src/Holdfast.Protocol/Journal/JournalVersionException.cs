namespace Holdfast.Protocol.Journal;

/// <summary>A whole, undamaged segment of a format that this build does not know. It is left as it is.</summary>
public sealed class JournalVersionException : IOException
{
    public const string Code = "journal-version-unknown";

    public JournalVersionException(int version)
        : base(
            $"The journal has format version {version}; this build knows versions {JournalFormat.Version} and {PackedSegmentFormat.Version}. Use the build that wrote it, or a newer one."
        ) => Version = version;

    internal JournalVersionException(int version, int codec)
        : base(
            $"The journal has a segment that is packed in way {codec}; this build knows way {PackedSegmentFormat.ZLib}. Use the build that packed it, or a newer one."
        ) => Version = version;

    public int Version { get; }
}
