using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Finds the executions of a notebook that ended after a time, or have not ended, whoever sent them: those of its runs; those in the
/// kernels of its sessions; and, for clients that make no session, those that name one of its cells in a kernel that is no notebook's and
/// works in its folder.
/// </summary>
internal static class LaterExecutionsTable
{
    private const string IsLater = "e.started_at IS NOT NULL AND (e.finished_at IS NULL OR e.finished_at > ?3)";

    private const string OfRuns =
        "SELECT e.id, e.request, e.id FROM runs r JOIN executions e ON e.run_id = r.id "
        + $"WHERE r.path IN (?1, ?2) AND (r.finished_at IS NULL OR r.finished_at > ?3) AND {IsLater}";

    private const string OfKernels =
        "SELECT e.id, e.request, e.message_id FROM notebook_kernels n JOIN executions e ON e.kernel_id = n.kernel_id "
        + $"WHERE n.path IN (?1, ?2) AND e.message_id IS NOT NULL AND {IsLater}";

    private const string OfCell =
        "SELECT e.id, e.request, e.message_id FROM executions e JOIN kernels k ON k.id = e.kernel_id "
        + $"WHERE e.cell_id = ?4 AND e.message_id IS NOT NULL AND {IsLater} AND k.cwd IN (?1, ?2) "
        + "AND NOT EXISTS (SELECT 1 FROM notebook_kernels n WHERE n.kernel_id = e.kernel_id)";

    /// <summary>In the order in which they were sent.</summary>
    /// <param name="path">As it was asked for; a run is known by this.</param>
    /// <param name="realPath">Links followed.</param>
    public static List<LaterExecution> Find(
        StoreReader reader,
        string path,
        string realPath,
        IEnumerable<string> cellIds,
        long afterMicroseconds
    )
    {
        var found = new Dictionary<string, LaterExecution>();
        Add(reader, reader.Prepare(OfRuns).Bind(1, path).Bind(2, realPath).Bind(3, afterMicroseconds), found);
        Add(reader, reader.Prepare(OfKernels).Bind(1, path).Bind(2, realPath).Bind(3, afterMicroseconds), found);
        foreach (string cell in cellIds)
        {
            Add(
                reader,
                reader
                    .Prepare(OfCell)
                    .Bind(1, Path.GetDirectoryName(path))
                    .Bind(2, Path.GetDirectoryName(realPath))
                    .Bind(3, afterMicroseconds)
                    .Bind(4, cell),
                found
            );
        }

        return [.. found.Values.OrderBy(static l => l.Execution.Sequence)];
    }

    private static void Add(StoreReader reader, Statement select, Dictionary<string, LaterExecution> found)
    {
        using (select)
        {
            while (select.Step())
            {
                if (ExecutionsTable.Find(reader, new ExecutionId(select.Text(0))) is { AttemptId: not null } execution)
                {
                    found[execution.Id.Value] = new LaterExecution(execution, select.Text(2), CellCode.Read(select.Text(1)));
                }
            }
        }
    }
}
