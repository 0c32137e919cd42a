namespace Holdfast.Protocol.Journal;

/// <summary>Bytes that were once whole and synced are not whole any more, so that a writer cannot know where it stands.</summary>
public sealed class JournalDamagedException(string directory, long position)
    : IOException($"The journal {directory} is damaged at position {position}: records that were complete are not readable any more.")
{
    public const string Code = "journal-damaged";

    public long Position { get; } = position;
}
