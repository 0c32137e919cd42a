using System.Text.Json;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Callbacks;

/// <summary>The statements of the table callbacks.</summary>
internal static class CallbacksTable
{
    private const string Columns =
        "seq, id, kind, subject_id, url, argv, cwd, secrets, schedule, state, failures, attempts, due_at, type, body, reason, created_at, settled_at, redrives, redriven_at, redriven_by";

    public static void Insert(
        StoreTransaction transaction,
        CallbackId id,
        CallbackSubject kind,
        string subject,
        CallbackOrder order,
        string host,
        long at
    )
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO callbacks (id, host, kind, subject_id, lane, url, argv, cwd, secrets, schedule, state, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 'waiting', ?11)"
            )
            .Bind(1, id.Value)
            .Bind(2, host)
            .Bind(3, NameOf(kind))
            .Bind(4, subject)
            .Bind(5, order.Lane)
            .Bind(6, order.Url)
            .Bind(7, Join(order.Argv))
            .Bind(8, order.Cwd)
            .Bind(9, Join(order.Secrets))
            .Bind(10, order.Schedule.ToString())
            .Bind(11, at);
        insert.Execute();
    }

    /// <summary>Stores where it is now. The body, once given, stays.</summary>
    public static void Update(StoreTransaction transaction, Callback callback)
    {
        using Statement update = transaction
            .Prepare(
                "UPDATE callbacks SET state = ?2, failures = ?3, attempts = ?4, due_at = ?5, type = ?6, body = coalesce(body, ?7), reason = ?8, settled_at = ?9, "
                    + "redrives = ?10, redriven_at = ?11, redriven_by = ?12 WHERE seq = ?1"
            )
            .Bind(1, callback.Sequence)
            .Bind(2, callback.Status.State.Name())
            .Bind(3, callback.Status.Failures)
            .Bind(4, callback.Attempts)
            .Bind(5, callback.Status.DueAt)
            .Bind(6, callback.Type)
            .Bind(7, callback.Body)
            .Bind(8, callback.Reason)
            .Bind(9, callback.SettledAt)
            .Bind(10, callback.Redrives)
            .Bind(11, callback.RedrivenAt)
            .Bind(12, callback.RedrivenBy);
        update.Execute();
    }

    public static Callback? Find(StoreReader reader, long sequence)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM callbacks WHERE seq = ?1").Bind(1, sequence);
        return select.Step() ? ReadRow(select) : null;
    }

    public static Callback? Find(StoreReader reader, CallbackId id)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM callbacks WHERE id = ?1").Bind(1, id.Value);
        return select.Step() ? ReadRow(select) : null;
    }

    /// <summary>The one that waits for this outcome; most executions have none, which the small index tells at once.</summary>
    public static Callback? FindWaiting(StoreReader reader, string subject)
    {
        using Statement select = reader
            .Prepare($"SELECT {Columns} FROM callbacks WHERE subject_id = ?1 AND state = 'waiting'")
            .Bind(1, subject);
        return select.Step() ? ReadRow(select) : null;
    }

    public static Callback? Latest(StoreReader reader, string subject)
    {
        using Statement select = reader
            .Prepare($"SELECT {Columns} FROM callbacks WHERE subject_id = ?1 ORDER BY seq DESC LIMIT 1")
            .Bind(1, subject);
        return select.Step() ? ReadRow(select) : null;
    }

    /// <summary>Those whose attempt was under way when the last server ended.</summary>
    public static List<Callback> Sending(StoreReader reader)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM callbacks WHERE state = 'sending' ORDER BY seq");
        return ReadRows(select);
    }

    /// <summary>
    /// What is due in a lane, the longest due first. One whose execution has an earlier callback that is still on its way waits for that
    /// one: an execution's outcomes are told in their order.
    /// </summary>
    public static List<long> Due(StoreReader reader, string lane, long now, int limit)
    {
        using Statement select = reader
            .Prepare(
                "SELECT c.seq FROM callbacks c WHERE c.lane = ?1 AND c.state = 'pending' AND (c.due_at <= ?2 OR c.due_at > ?3) "
                    + "AND NOT EXISTS (SELECT 1 FROM callbacks e WHERE e.subject_id = c.subject_id AND e.seq < c.seq AND e.state IN ('pending', 'sending')) ORDER BY c.due_at LIMIT ?4"
            )
            .Bind(1, lane)
            .Bind(2, now)
            .Bind(3, now + CallbackTransitions.FarAhead)
            .Bind(4, limit);
        var due = new List<long>();
        while (select.Step())
        {
            due.Add(select.Int64(0));
        }

        return due;
    }

    /// <summary>True while an earlier outcome of the same execution is on its way.</summary>
    public static bool HasEarlier(StoreReader reader, Callback callback)
    {
        using Statement select = reader
            .Prepare("SELECT 1 FROM callbacks WHERE subject_id = ?1 AND seq < ?2 AND state IN ('pending', 'sending') LIMIT 1")
            .Bind(1, callback.SubjectId)
            .Bind(2, callback.Sequence);
        return select.Step();
    }

    /// <summary>When the next one of a lane falls due after now.</summary>
    public static long? NextDue(StoreReader reader, string lane, long now)
    {
        using Statement select = reader
            .Prepare("SELECT min(due_at) FROM callbacks WHERE lane = ?1 AND state = 'pending' AND due_at > ?2")
            .Bind(1, lane)
            .Bind(2, now);
        return select.Step() ? select.Int64OrNull(0) : null;
    }

    /// <summary>Those that have not been delivered, by state; each by its own partial index.</summary>
    public static List<(CallbackState State, long Count)> CountOpen(StoreReader reader)
    {
        var counts = new List<(CallbackState, long)>();
        foreach (
            CallbackState state in (CallbackState[])
                [CallbackState.Waiting, CallbackState.Pending, CallbackState.Sending, CallbackState.Parked, CallbackState.Disabled]
        )
        {
            // The words of each index, or SQLite does not see that it may be used.
            string among = state is CallbackState.Parked or CallbackState.Disabled ? "state IN ('parked', 'disabled') AND " : "";
            using Statement select = reader.Prepare($"SELECT count(*) FROM callbacks WHERE {among}state = '{state.Name()}'");
            counts.Add((state, select.Step() ? select.Int64(0) : 0));
        }

        return counts;
    }

    /// <summary>Every lane with something on its way.</summary>
    public static List<string> PendingLanes(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT DISTINCT lane FROM callbacks WHERE state = 'pending'");
        var lanes = new List<string>();
        while (select.Step())
        {
            lanes.Add(select.Text(0));
        }

        return lanes;
    }

    /// <summary>Newest first. Null: any.</summary>
    public static List<Callback> List(StoreReader reader, string? subject, CallbackState? state, int limit)
    {
        string where = (subject, state) switch
        {
            (null, null) => "",
            (not null, null) => "WHERE subject_id = ?1",
            // For the small index.
            (null, CallbackState.Parked or CallbackState.Disabled) => "WHERE state = ?2 AND state IN ('parked', 'disabled')",
            (null, _) => "WHERE state = ?2",
            _ => "WHERE subject_id = ?1 AND state = ?2",
        };
        using Statement select = reader.Prepare($"SELECT {Columns} FROM callbacks {where} ORDER BY seq DESC LIMIT {limit}");
        if (subject is not null)
        {
            select.Bind(1, subject);
        }

        if (state is { } wanted)
        {
            select.Bind(2, wanted.Name());
        }

        return ReadRows(select);
    }

    /// <summary>Those in a state of being given up, oldest first, by the small index.</summary>
    public static List<CallbackId> GivenUp(StoreReader reader, CallbackState state, long after, int limit)
    {
        using Statement select = reader
            .Prepare("SELECT id FROM callbacks WHERE state IN ('parked', 'disabled') AND state = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")
            .Bind(1, state.Name())
            .Bind(2, after)
            .Bind(3, limit);
        var ids = new List<CallbackId>();
        while (select.Step())
        {
            ids.Add(new CallbackId(select.Text(0)));
        }

        return ids;
    }

    public static string NameOf(CallbackSubject kind) => kind == CallbackSubject.Run ? "run" : "execution";

    private static List<Callback> ReadRows(Statement select)
    {
        var rows = new List<Callback>();
        while (select.Step())
        {
            rows.Add(ReadRow(select));
        }

        return rows;
    }

    private static Callback ReadRow(Statement row) =>
        new()
        {
            Sequence = row.Int64(0),
            Id = new CallbackId(row.Text(1)),
            Kind = row.Text(2) == "run" ? CallbackSubject.Run : CallbackSubject.Execution,
            SubjectId = row.Text(3),
            Order = new CallbackOrder
            {
                Url = row.TextOrNull(4),
                Argv = Split(row.TextOrNull(5)),
                Cwd = row.TextOrNull(6),
                Secrets = Split(row.TextOrNull(7)) ?? [],
                Schedule = CallbackSchedule.FromText(row.Text(8)),
            },
            Status = new CallbackStatus(
                CallbackStates.TryParse(row.Text(9), out CallbackState state)
                    ? state
                    : throw new InvalidDataException($"A callback is {row.Text(9)}."),
                row.Int32(10),
                row.Int64(12)
            ),
            Attempts = row.Int32(11),
            Type = row.TextOrNull(13),
            Body = row.BlobOrNull(14),
            Reason = row.TextOrNull(15),
            CreatedAt = row.Int64(16),
            SettledAt = row.Int64OrNull(17),
            Redrives = row.Int32(18),
            RedrivenAt = row.Int64OrNull(19),
            RedrivenBy = row.TextOrNull(20),
        };

    private static string? Join(IReadOnlyList<string>? texts) =>
        texts is { Count: > 0 } ? JsonSerializer.Serialize(texts, CallbackJson.Default.IReadOnlyListString) : null;

    private static IReadOnlyList<string>? Split(string? json) =>
        json is null ? null : JsonSerializer.Deserialize(json, CallbackJson.Default.IReadOnlyListString);
}
