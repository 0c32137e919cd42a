using Holdfast.Engine.Store;

namespace Holdfast.Engine.Retention;

/// <summary>What the executions of this store came to, those that are no longer kept among them.</summary>
public sealed class GetStatistics(StateStore store)
{
    public IReadOnlyList<ExecutionStatistics> Run() => store.Read(StatisticsTable.Read);
}
