using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>The statements of the kernels table.</summary>
internal static class KernelsTable
{
    private const string Columns = "id, spec, state, attempt_id, cwd, created_at, last_activity, reason, restarts";
    private static readonly string[] StateNames = ["starting", "running", "stopped", "dead"];

    public static string Name(this KernelState state) => StateNames[(int)state];

    public static void Insert(StoreTransaction transaction, Kernel kernel, string host)
    {
        using Statement insert = transaction.Prepare(
            "INSERT INTO kernels (id, host, spec, state, attempt_id, cwd, created_at, last_activity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
            .Bind(1, kernel.Id.Value).Bind(2, host).Bind(3, kernel.SpecName).Bind(4, kernel.State.Name()).Bind(5, kernel.AttemptId?.Value)
            .Bind(6, kernel.WorkingDirectory).Bind(7, kernel.CreatedAt).Bind(8, kernel.LastActivityAt);
        insert.Execute();
    }

    public static void Update(StoreTransaction transaction, Kernel kernel)
    {
        using Statement update = transaction.Prepare(
            "UPDATE kernels SET state = ?2, attempt_id = ?3, last_activity = ?4, reason = ?5, restarts = ?6 WHERE id = ?1")
            .Bind(1, kernel.Id.Value).Bind(2, kernel.State.Name()).Bind(3, kernel.AttemptId?.Value).Bind(4, kernel.LastActivityAt)
            .Bind(5, kernel.Reason).Bind(6, kernel.Restarts);
        update.Execute();
    }

    public static Kernel? Find(StoreReader reader, KernelId id)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM kernels WHERE id = ?1").Bind(1, id.Value);
        return select.Step() ? ReadRow(select) : null;
    }

    /// <summary>Those that have, or should have, a process.</summary>
    public static List<Kernel> Live(StoreReader reader) => ReadRows(reader.Prepare($"SELECT {Columns} FROM kernels WHERE attempt_id IS NOT NULL ORDER BY id"));

    /// <summary>All but those that were stopped, oldest first.</summary>
    public static List<Kernel> Current(StoreReader reader) =>
        ReadRows(reader.Prepare($"SELECT {Columns} FROM kernels WHERE state <> 'stopped' ORDER BY created_at, id"));

    /// <summary>The live ones, and then the latest of those that ended, newest first.</summary>
    public static List<Kernel> Recent(StoreReader reader, int limit) =>
        ReadRows(reader.Prepare($"SELECT {Columns} FROM kernels ORDER BY attempt_id IS NULL, created_at DESC LIMIT ?1").Bind(1, limit));

    private static List<Kernel> ReadRows(Statement select)
    {
        using (select)
        {
            var rows = new List<Kernel>();
            while (select.Step())
            {
                rows.Add(ReadRow(select));
            }

            return rows;
        }
    }

    private static Kernel ReadRow(Statement row) => new(
        new KernelId(row.Text(0)), row.Text(1), (KernelState)Array.IndexOf(StateNames, row.Text(2)),
        row.TextOrNull(3) is { } attempt ? new AttemptId(attempt) : null, row.Text(4), row.Int64(5))
    {
        LastActivityAt = row.Int64(6),
        Reason = row.TextOrNull(7),
        Restarts = row.Int32(8),
    };
}
