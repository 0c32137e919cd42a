namespace Holdfast.Protocol.Journal;

/// <summary>
/// An append that did not finish. The journal ends at a record boundary, and <see cref="PayloadBytesWritten"/> says how much of the
/// payload lies before it: the next append to this channel must be the rest, and joins on without a seam.
/// </summary>
public class JournalWriteException(string message, int errno, long payloadBytesWritten) : IOException(message, errno)
{
    /// <summary>The system's error number.</summary>
    public int Errno { get; } = errno;

    public long PayloadBytesWritten { get; } = payloadBytesWritten;
}
