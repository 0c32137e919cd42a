namespace Holdfast.Protocol.Journal;

/// <summary>A whole, undamaged segment of a format that this build does not know. It is left as it is.</summary>
public sealed class JournalVersionException(int version)
    : IOException($"The journal has format version {version}; this build knows version {JournalFormat.Version}. Use the build that wrote it, or a newer one.")
{
    public const string Code = "journal-version-unknown";

    public int Version { get; } = version;
}
