using Holdfast.Engine.Store;

namespace Holdfast.Engine.Locks;

/// <summary>Every lock that somebody holds or waits for, by name, each with its line in order.</summary>
public sealed class ListLocks(StateStore store)
{
    public IReadOnlyList<LockLine> Run() => store.Read(LocksTable.Lines);
}
