namespace Holdfast.Protocol.Journal;

/// <summary>
/// No room: the disk or the quota is full. Nothing is lost; stop reading the source, and append the rest when there is room.
/// </summary>
public sealed class JournalFullException(string message, int errno, long payloadBytesWritten)
    : JournalWriteException(message, errno, payloadBytesWritten)
{
    public const string Code = "journal-full";
}
