using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels;

/// <summary>The statements of the kernels table.</summary>
internal static class KernelsTable
{
    private const string Columns =
        "id, spec, state, attempt_id, cwd, created_at, last_activity, reason, restarts, "
        + "env, memory_bytes_max, auto_restart, is_revived, restart_due, last_death, is_warm, cpu_millis_max";
    private static readonly string[] StateNames = ["starting", "running", "stopped", "dead", "restarting"];

    public static string Name(this KernelState state) => StateNames[(int)state];

    public static void Insert(StoreTransaction transaction, Kernel kernel, string host)
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO kernels (id, host, spec, state, attempt_id, cwd, created_at, last_activity, env, memory_bytes_max, auto_restart, is_warm, cpu_millis_max) "
                    + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
            )
            .Bind(1, kernel.Id.Value)
            .Bind(2, host)
            .Bind(3, kernel.SpecName)
            .Bind(4, kernel.State.Name())
            .Bind(5, kernel.AttemptId?.Value)
            .Bind(6, kernel.WorkingDirectory)
            .Bind(7, kernel.CreatedAt)
            .Bind(8, kernel.LastActivityAt)
            .Bind(9, WriteEnvironment(kernel.Environment))
            .Bind(10, kernel.MemoryBytesMax)
            .Bind(11, kernel.IsAutoRestarted)
            .Bind(12, kernel.IsWarm)
            .Bind(13, kernel.CpuMillisMax);
        insert.Execute();
    }

    public static void Update(StoreTransaction transaction, Kernel kernel)
    {
        using Statement update = transaction
            .Prepare(
                "UPDATE kernels SET state = ?2, attempt_id = ?3, last_activity = ?4, reason = ?5, restarts = ?6, auto_restart = ?7, is_revived = ?8, "
                    + "restart_due = ?9, last_death = ?10, is_warm = ?11, created_at = ?12 WHERE id = ?1"
            )
            .Bind(1, kernel.Id.Value)
            .Bind(2, kernel.State.Name())
            .Bind(3, kernel.AttemptId?.Value)
            .Bind(4, kernel.LastActivityAt)
            .Bind(5, kernel.Reason)
            .Bind(6, kernel.Restarts)
            .Bind(7, kernel.IsAutoRestarted)
            .Bind(8, kernel.IsRevived)
            .Bind(9, kernel.RestartDueAt)
            .Bind(10, kernel.LastDeath?.ToJson())
            .Bind(11, kernel.IsWarm)
            .Bind(12, kernel.CreatedAt);
        update.Execute();
    }

    /// <summary>When it was last active, without an event: nobody waits for that.</summary>
    public static void Touch(StoreTransaction transaction, KernelId id, long at)
    {
        using Statement update = transaction
            .Prepare("UPDATE kernels SET last_activity = max(last_activity, ?2) WHERE id = ?1")
            .Bind(1, id.Value)
            .Bind(2, at);
        update.Execute();
    }

    public static Kernel? Find(StoreReader reader, KernelId id)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM kernels WHERE id = ?1").Bind(1, id.Value);
        return select.Step() ? ReadRow(select) : null;
    }

    /// <summary>Those that have, or should have, a process.</summary>
    public static List<Kernel> Live(StoreReader reader) =>
        ReadRows(reader.Prepare($"SELECT {Columns} FROM kernels WHERE attempt_id IS NOT NULL ORDER BY id"));

    /// <summary>All but those that were stopped, those that died before a time, and those that are nobody's yet, oldest first.</summary>
    public static List<Kernel> Current(StoreReader reader, long deadSince) =>
        ReadRows(
            reader
                .Prepare(
                    $"SELECT {Columns} FROM kernels WHERE state <> 'stopped' AND is_warm = 0 AND (state <> 'dead' OR last_activity >= ?1) ORDER BY created_at, id"
                )
                .Bind(1, deadSince)
        );

    /// <summary>
    /// The live ones, and then the latest of those that ended, newest first; those that are warm only when they are asked for.
    /// </summary>
    public static List<Kernel> Recent(StoreReader reader, int limit, bool withWarm = false) =>
        ReadRows(
            reader
                .Prepare(
                    $"SELECT {Columns} FROM kernels WHERE is_warm <= ?2 ORDER BY attempt_id IS NULL AND state <> 'restarting', created_at DESC LIMIT ?1"
                )
                .Bind(1, limit)
                .Bind(2, withWarm)
        );

    /// <summary>Those that wait for their restart: they have no attempt that recovery would find.</summary>
    public static List<Kernel> Restarting(StoreReader reader) =>
        ReadRows(reader.Prepare($"SELECT {Columns} FROM kernels WHERE state = 'restarting' ORDER BY id"));

    /// <summary>Those that died and were given up, longest ago first.</summary>
    public static List<Kernel> Dead(StoreReader reader) =>
        ReadRows(reader.Prepare($"SELECT {Columns} FROM kernels WHERE state = 'dead' ORDER BY last_activity"));

    public static void Delete(StoreTransaction transaction, KernelId id)
    {
        using Statement delete = transaction.Prepare("DELETE FROM kernels WHERE id = ?1").Bind(1, id.Value);
        delete.Execute();
    }

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

    private static Kernel ReadRow(Statement row) =>
        new(
            new KernelId(row.Text(0)),
            row.Text(1),
            (KernelState)Array.IndexOf(StateNames, row.Text(2)),
            row.TextOrNull(3) is { } attempt ? new AttemptId(attempt) : null,
            row.Text(4),
            row.Int64(5)
        )
        {
            LastActivityAt = row.Int64(6),
            Reason = row.TextOrNull(7),
            Restarts = row.Int32(8),
            Environment = ReadEnvironment(row.TextOrNull(9)),
            MemoryBytesMax = row.Int64OrNull(10),
            IsAutoRestarted = row.Bool(11),
            IsRevived = row.Bool(12),
            RestartDueAt = row.Int64OrNull(13),
            LastDeath = row.TextOrNull(14) is { } death ? KernelDeath.FromJson(death) : null,
            IsWarm = row.Bool(15),
            CpuMillisMax = row.Int64OrNull(16),
        };

    private static string? WriteEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        if (environment.Count == 0)
        {
            return null;
        }

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach ((string name, string value) in environment)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static IReadOnlyDictionary<string, string> ReadEnvironment(string? json)
    {
        if (json is null)
        {
            return KernelPlan.Nothing;
        }

        using JsonDocument document = JsonDocument.Parse(json);
        return document.RootElement.EnumerateObject().ToDictionary(static v => v.Name, static v => v.Value.GetString()!);
    }
}
