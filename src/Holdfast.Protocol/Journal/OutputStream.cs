namespace Holdfast.Protocol.Journal;

/// <summary>Which bytes of a command's output. <c>All</c> is both streams in the order in which they were journalled.</summary>
public enum OutputStream
{
    Stdout,
    Stderr,
    All,
}
