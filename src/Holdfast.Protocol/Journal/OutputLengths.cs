namespace Holdfast.Protocol.Journal;

/// <summary>
/// How much output a journal holds, where it ends, and how. <c>HasExited</c>: the exit event is there, so no more will come.
/// </summary>
public readonly record struct OutputLengths(long Stdout, long Stderr, long EndPosition, JournalEnd End, bool HasExited)
{
    public long All => Stdout + Stderr;

    public long Of(OutputStream stream) =>
        stream switch
        {
            OutputStream.Stdout => Stdout,
            OutputStream.Stderr => Stderr,
            _ => All,
        };
}
