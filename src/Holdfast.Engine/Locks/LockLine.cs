using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Locks;

/// <summary>
/// One lock and who stands in its line. The fence is the holder's place; null while the first of the line still waits for another lock.
/// </summary>
public sealed record LockLine(string Name, ExecutionId? Holder, long? Fence, IReadOnlyList<ExecutionId> Waiting);

/// <summary>How many locks are held, and how many executions wait for some.</summary>
public sealed record LockCount(long Held, long Waiting);
