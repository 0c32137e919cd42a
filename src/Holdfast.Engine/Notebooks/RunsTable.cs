using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Notebooks;

/// <summary>The statements of the runs table.</summary>
internal static class RunsTable
{
    private const string Columns =
        "id, path, state, kernel_id, attempt_id, owns_kernel, stop_on_error, start_position, created_at, finished_at, reason, cascade_cells";
    private static readonly string[] StateNames = ["running", "succeeded", "failed", "cancelled", "lost"];

    public static string Name(this RunState state) => StateNames[(int)state];

    public static void Insert(StoreTransaction transaction, Run run, string host)
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO runs (id, host, path, state, kernel_id, attempt_id, owns_kernel, stop_on_error, start_position, created_at, cascade_cells) "
                    + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"
            )
            .Bind(1, run.Id)
            .Bind(2, host)
            .Bind(3, run.Path)
            .Bind(4, run.State.Name())
            .Bind(5, run.KernelId.Value)
            .Bind(6, run.AttemptId.Value)
            .Bind(7, run.OwnsKernel)
            .Bind(8, run.StopOnError)
            .Bind(9, run.StartPosition)
            .Bind(10, run.CreatedAt)
            .Bind(11, run.CascadeCells);
        insert.Execute();
    }

    public static void Finish(StoreTransaction transaction, string id, RunState state, string? reason, long at)
    {
        using Statement update = transaction
            .Prepare("UPDATE runs SET state = ?2, reason = ?3, finished_at = ?4 WHERE id = ?1 AND finished_at IS NULL")
            .Bind(1, id)
            .Bind(2, state.Name())
            .Bind(3, reason)
            .Bind(4, at);
        update.Execute();
    }

    /// <summary>Open runs of one kernel incarnation become those of another.</summary>
    public static void Reassign(StoreTransaction transaction, AttemptId from, AttemptId to)
    {
        using Statement update = transaction
            .Prepare("UPDATE runs SET attempt_id = ?2 WHERE attempt_id = ?1 AND finished_at IS NULL")
            .Bind(1, from.Value)
            .Bind(2, to.Value);
        update.Execute();
    }

    public static Run? Find(StoreReader reader, string id)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM runs WHERE id = ?1").Bind(1, id);
        return select.Step() ? ReadRow(select) : null;
    }

    public static List<Run> Open(StoreReader reader) =>
        ReadRows(reader.Prepare($"SELECT {Columns} FROM runs WHERE finished_at IS NULL ORDER BY id"));

    /// <summary>The open runs of one kernel incarnation.</summary>
    public static List<Run> OpenOf(StoreReader reader, AttemptId attempt) =>
        ReadRows(
            reader.Prepare($"SELECT {Columns} FROM runs WHERE finished_at IS NULL AND attempt_id = ?1 ORDER BY id").Bind(1, attempt.Value)
        );

    private static List<Run> ReadRows(Statement rows)
    {
        using Statement select = rows;
        var runs = new List<Run>();
        while (select.Step())
        {
            runs.Add(ReadRow(select));
        }

        return runs;
    }

    /// <summary>The cascades of a notebook that go on, oldest first.</summary>
    public static List<Run> OpenCascades(StoreReader reader, string path) => Open(reader).FindAll(run => run.IsCascade && run.Path == path);

    /// <summary>
    /// True when the last run in this kernel incarnation had started the kernel and is over in a way after which it is stopped: a crash may
    /// have come before that.
    /// </summary>
    public static bool HasLeftKernel(StoreReader reader, AttemptId attempt)
    {
        using Statement select = reader
            .Prepare("SELECT owns_kernel, state FROM runs WHERE attempt_id = ?1 ORDER BY id DESC LIMIT 1")
            .Bind(1, attempt.Value);
        return select.Step() && select.Bool(0) && select.Text(1) is "succeeded" or "cancelled";
    }

    /// <summary>The latest run of a notebook, whatever became of it.</summary>
    public static Run? LatestOf(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM runs WHERE path = ?1 ORDER BY id DESC LIMIT 1").Bind(1, path);
        return select.Step() ? ReadRow(select) : null;
    }

    private static Run ReadRow(Statement row) =>
        new(
            row.Text(0),
            row.Text(1),
            (RunState)Array.IndexOf(StateNames, row.Text(2)),
            new KernelId(row.Text(3)),
            new AttemptId(row.Text(4)),
            row.Bool(5),
            row.Bool(6),
            row.Int64(7),
            row.Int64(8)
        )
        {
            FinishedAt = row.Int64OrNull(9),
            Reason = row.TextOrNull(10),
            CascadeCells = (int?)row.Int64OrNull(11),
        };
}
