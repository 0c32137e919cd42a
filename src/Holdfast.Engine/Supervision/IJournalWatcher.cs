namespace Holdfast.Engine.Supervision;

/// <summary>
/// Is told of an attempt's journal as soon as the link says so, on the link's own reading loop: for those who pass on what a kernel says
/// while a person waits for it. Must not block, and may be called from several threads.
/// </summary>
public interface IJournalWatcher
{
    /// <summary>The journal has grown, or nothing will come any more.</summary>
    void JournalChanged();
}
