namespace Holdfast.Protocol.Journal;

/// <summary>What a record's payload is. The numbers are on disk: never change one, never use one again.</summary>
public enum JournalChannel : byte
{
    Event = 0,
    Stdout = 1,
    Stderr = 2,

    // Jupyter messages received, whole ZMQ multiparts.
    IoPub = 16,
    Shell = 17,
    Control = 18,
    Stdin = 19,

    // Jupyter messages as sent.
    ShellRequest = 32,
    ControlRequest = 33,
    StdinReply = 34,
}
