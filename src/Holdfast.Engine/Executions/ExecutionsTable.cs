using System.Text;
using System.Text.Json;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>The statements of the executions table.</summary>
internal static class ExecutionsTable
{
    private const string Columns =
        "seq, id, kind, state, created_at, name, queue, labels, attempt, attempt_id, cancel_requested, started_at, finished_at, "
        + "exit_code, signal, cause, reason, output_bytes, run_id, cell_id, cell_index, start_position, end_position, "
        + "kernel_id, message_id, client_session, client_username, blocked_by, place";

    private const string SelectById = $"SELECT {Columns} FROM executions WHERE id = ?1";
    private const string SelectQueuedJobs =
        $"SELECT {Columns}, request FROM executions WHERE state = 'queued' AND kind = 'job' ORDER BY seq LIMIT ?1";
    private const string SelectActive = $"SELECT {Columns} FROM executions WHERE state IN ('starting', 'running', 'paused') ORDER BY seq";
    private const string SelectTerminals =
        $"SELECT {Columns} FROM executions WHERE state IN ('starting', 'running', 'paused') AND queue = 'terminals' ORDER BY seq";

    private const string SelectActiveWithoutAttempt =
        $"SELECT {Columns} FROM executions WHERE state IN ('starting', 'running', 'paused') AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.id = attempt_id AND a.ended_at IS NULL) "
        + "AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = run_id AND r.finished_at IS NULL) ORDER BY seq";

    private const string SelectRun = $"SELECT {Columns} FROM executions WHERE run_id = ?1 ORDER BY coalesce(place, cell_index)";

    /// <summary>
    /// How the code of a cell, or the command of a job, begins; enough of it to find its first line. A request that is damaged must not
    /// keep the others from being listed.
    /// </summary>
    private const string Begins =
        "CASE WHEN NOT json_valid(request) THEN NULL "
        + "WHEN kind = 'cell' THEN substr(coalesce(json_extract(request, '$.code'), json_extract(request, '$.source')), 1, 1000) "
        + "ELSE (SELECT substr(group_concat(value, ' '), 1, 1000) FROM json_each(request, '$.argv')) END";

    private const string SelectPage =
        $"SELECT {Columns}, {Begins} FROM executions WHERE seq < ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR kind = ?3) AND (?4 IS NULL OR queue = ?4) "
        + "AND (?5 IS NULL OR EXISTS (SELECT 1 FROM json_each(labels) WHERE key = ?5 AND (?6 IS NULL OR value = ?6))) ORDER BY seq DESC LIMIT ?7";

    public static long Insert(StoreTransaction transaction, Execution execution, string host, string request)
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO executions (id, host, kind, state, queue, name, labels, request, created_at, run_id, cell_id, cell_index, attempt_id, kernel_id, place) "
                    + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
            )
            .Bind(1, execution.Id.Value)
            .Bind(2, host)
            .Bind(3, KindName(execution.Kind))
            .Bind(4, execution.State.Name())
            .Bind(5, execution.Queue)
            .Bind(6, execution.Name)
            .Bind(7, WriteLabels(execution.Labels))
            .Bind(8, request)
            .Bind(9, execution.CreatedAt)
            .Bind(10, execution.RunId)
            .Bind(11, execution.CellId)
            .Bind(12, execution.CellIndex)
            .Bind(13, execution.AttemptId?.Value)
            .Bind(14, execution.KernelId)
            .Bind(15, execution.Place);
        return insert.ExecuteInsert();
    }

    /// <summary>A client's cell as far as it has come, in one write; null when there is a row of this request already.</summary>
    public static long? InsertSent(StoreTransaction transaction, Execution execution, string host, string request)
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO executions (id, host, kind, state, queue, request, created_at, attempt, attempt_id, started_at, finished_at, exit_code, cause, reason, output_bytes, "
                    + "cell_id, start_position, end_position, kernel_id, message_id, client_session, client_username) "
                    + "VALUES (?1, ?2, 'cell', ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21) "
                    + "ON CONFLICT (attempt_id, message_id) WHERE message_id IS NOT NULL DO NOTHING RETURNING seq"
            )
            .Bind(1, execution.Id.Value)
            .Bind(2, host)
            .Bind(3, execution.State.Name())
            .Bind(4, execution.Queue)
            .Bind(5, request)
            .Bind(6, execution.CreatedAt)
            .Bind(7, execution.Attempt)
            .Bind(8, execution.AttemptId?.Value)
            .Bind(9, execution.StartedAt)
            .Bind(10, execution.FinishedAt)
            .Bind(11, execution.ExitCode)
            .Bind(12, execution.Cause)
            .Bind(13, execution.Reason)
            .Bind(14, execution.OutputBytes)
            .Bind(15, execution.CellId)
            .Bind(16, execution.StartPosition)
            .Bind(17, execution.EndPosition)
            .Bind(18, execution.KernelId)
            .Bind(19, execution.MessageId)
            .Bind(20, execution.ClientSession)
            .Bind(21, execution.ClientUsername);
        if (!insert.Step())
        {
            return null;
        }

        long sequence = insert.Int64(0);
        _ = insert.Step(); // To its end, or the row is not there yet.
        return sequence;
    }

    /// <summary>The cell of a client's request.</summary>
    public static Execution? FindSent(StoreReader reader, AttemptId attempt, string messageId)
    {
        using Statement select = reader
            .Prepare($"SELECT {Columns} FROM executions WHERE attempt_id = ?1 AND message_id = ?2")
            .Bind(1, attempt.Value)
            .Bind(2, messageId);
        return select.Step() ? ReadRow(select) : null;
    }

    /// <summary>The clients' cells that one kernel incarnation is known to run.</summary>
    public static List<Execution> RunningSent(StoreReader reader, AttemptId attempt) =>
        ReadRows(
            reader
                .Prepare(
                    $"SELECT {Columns} FROM executions WHERE state IN ('starting', 'running', 'paused') AND attempt_id = ?1 AND message_id IS NOT NULL ORDER BY seq"
                )
                .Bind(1, attempt.Value)
        );

    /// <summary>True when a client has sent something to this incarnation.</summary>
    public static bool HasSent(StoreReader reader, AttemptId attempt)
    {
        using Statement select = reader
            .Prepare("SELECT 1 FROM executions WHERE attempt_id = ?1 AND message_id IS NOT NULL LIMIT 1")
            .Bind(1, attempt.Value);
        return select.Step();
    }

    public static Execution? Find(StoreReader reader, ExecutionId id)
    {
        using Statement select = reader.Prepare(SelectById).Bind(1, id.Value);
        return select.Step() ? ReadRow(select) : null;
    }

    public static string ReadRequest(StoreReader reader, ExecutionId id)
    {
        using Statement select = reader.Prepare("SELECT request FROM executions WHERE id = ?1").Bind(1, id.Value);
        return select.Step() ? select.Text(0) : throw ExecutionId.NotFound(id.Value);
    }

    /// <summary>The jobs next in line, first in first out, with their requests.</summary>
    public static List<(Execution Execution, string Request)> QueuedJobs(StoreReader reader, int limit)
    {
        using Statement select = reader.Prepare(SelectQueuedJobs).Bind(1, limit);
        var rows = new List<(Execution, string)>();
        while (select.Step())
        {
            rows.Add((ReadRow(select), select.Text(29)));
        }

        return rows;
    }

    public static List<Execution> Active(StoreReader reader) => ReadRows(reader.Prepare(SelectActive));

    /// <summary>The live terminals, oldest first. They are never queued, so the index of what is active has them all.</summary>
    public static List<Execution> Terminals(StoreReader reader) => ReadRows(reader.Prepare(SelectTerminals));

    /// <summary>
    /// Those that are said to run and whose attempt is over or unknown. Cells of a run that is open are not among them: its kernel's
    /// journal tells of them.
    /// </summary>
    public static List<Execution> ActiveWithoutAttempt(StoreReader reader) => ReadRows(reader.Prepare(SelectActiveWithoutAttempt));

    public static int CountActive(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT count(*) FROM executions WHERE state IN ('starting', 'running', 'paused')");
        return select.Step() ? (int)select.Int64(0) : 0;
    }

    public static List<Execution> OfRun(StoreReader reader, string runId) => ReadRows(reader.Prepare(SelectRun).Bind(1, runId));

    public static List<(Execution Execution, string? Begins)> Page(StoreReader reader, ExecutionFilter filter)
    {
        using Statement select = reader
            .Prepare(SelectPage)
            .Bind(1, filter.Before ?? long.MaxValue)
            .Bind(2, filter.State?.Name())
            .Bind(3, filter.Kind is { } kind ? KindName(kind) : null)
            .Bind(4, filter.Queue)
            .Bind(5, filter.LabelName)
            .Bind(6, filter.LabelValue)
            .Bind(7, filter.Limit);
        var rows = new List<(Execution, string?)>();
        while (select.Step())
        {
            rows.Add((ReadRow(select), select.TextOrNull(29)));
        }

        return rows;
    }

    /// <summary>How many queued jobs stand before this one.</summary>
    public static int QueuePosition(StoreReader reader, long sequence)
    {
        using Statement select = reader
            .Prepare("SELECT count(*) FROM executions WHERE state = 'queued' AND kind = 'job' AND seq < ?1")
            .Bind(1, sequence);
        return select.Step() ? (int)select.Int64(0) : 0;
    }

    public static Dictionary<string, long> CountByState(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT state, count(*) FROM executions GROUP BY state");
        var counts = new Dictionary<string, long>();
        while (select.Step())
        {
            counts[select.Text(0)] = select.Int64(1);
        }

        return counts;
    }

    public static long CountQueued(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT count(*) FROM executions WHERE state = 'queued' AND kind = 'job'");
        return select.Step() ? select.Int64(0) : 0;
    }

    /// <summary>Stores every field that transitions change.</summary>
    public static void Update(StoreTransaction transaction, Execution execution)
    {
        using Statement update = transaction
            .Prepare(
                "UPDATE executions SET state = ?2, attempt = ?3, attempt_id = ?4, cancel_requested = ?5, started_at = ?6, finished_at = ?7, exit_code = ?8, "
                    + "signal = ?9, cause = ?10, reason = ?11, output_bytes = ?12, start_position = ?13, end_position = ?14, blocked_by = ?15 WHERE id = ?1"
            )
            .Bind(1, execution.Id.Value)
            .Bind(2, execution.State.Name())
            .Bind(3, execution.Attempt)
            .Bind(4, execution.AttemptId?.Value)
            .Bind(5, execution.IsCancelRequested)
            .Bind(6, execution.StartedAt)
            .Bind(7, execution.FinishedAt)
            .Bind(8, execution.ExitCode)
            .Bind(9, execution.Signal)
            .Bind(10, execution.Cause)
            .Bind(11, execution.Reason)
            .Bind(12, execution.OutputBytes)
            .Bind(13, execution.StartPosition)
            .Bind(14, execution.EndPosition)
            .Bind(15, execution.BlockedBy?.Value);
        update.Execute();
    }

    /// <summary>Cells that wait for one kernel incarnation come to wait for another.</summary>
    public static void Reassign(StoreTransaction transaction, AttemptId from, AttemptId to)
    {
        using Statement update = transaction
            .Prepare("UPDATE executions SET attempt_id = ?2 WHERE attempt_id = ?1 AND kind = 'cell' AND state = 'queued'")
            .Bind(1, from.Value)
            .Bind(2, to.Value);
        update.Execute();
    }

    public static string KindName(ExecutionKind kind) => kind == ExecutionKind.Cell ? "cell" : "job";

    private static List<Execution> ReadRows(Statement select)
    {
        using (select)
        {
            var rows = new List<Execution>();
            while (select.Step())
            {
                rows.Add(ReadRow(select));
            }

            return rows;
        }
    }

    private static Execution ReadRow(Statement row) =>
        new()
        {
            Sequence = row.Int64(0),
            Id = new ExecutionId(row.Text(1)),
            Kind = row.Text(2) == "cell" ? ExecutionKind.Cell : ExecutionKind.Job,
            State = ExecutionStates.TryParse(row.Text(3), out ExecutionState state)
                ? state
                : throw new InvalidOperationException($"executions.state of {row.Text(1)} is '{row.Text(3)}', which no version wrote."),
            CreatedAt = row.Int64(4),
            Name = row.TextOrNull(5),
            Queue = row.Text(6),
            Labels = ReadLabels(row.TextOrNull(7)),
            Attempt = (int)row.Int64(8),
            AttemptId = row.TextOrNull(9) is { } attempt ? new AttemptId(attempt) : null,
            IsCancelRequested = row.Int64(10) != 0,
            StartedAt = Int64OrNull(row, 11),
            FinishedAt = Int64OrNull(row, 12),
            ExitCode = (int?)Int64OrNull(row, 13),
            Signal = (int?)Int64OrNull(row, 14),
            Cause = row.TextOrNull(15),
            Reason = row.TextOrNull(16),
            OutputBytes = Int64OrNull(row, 17),
            RunId = row.TextOrNull(18),
            CellId = row.TextOrNull(19),
            CellIndex = (int?)Int64OrNull(row, 20),
            StartPosition = row.Int64(21),
            EndPosition = row.Int64(22),
            KernelId = row.TextOrNull(23),
            MessageId = row.TextOrNull(24),
            ClientSession = row.TextOrNull(25),
            ClientUsername = row.TextOrNull(26),
            BlockedBy = row.TextOrNull(27) is { } upstream ? new ExecutionId(upstream) : null,
            Place = (int?)Int64OrNull(row, 28),
        };

    private static long? Int64OrNull(Statement row, int column) => row.IsNull(column) ? null : row.Int64(column);

    private static string? WriteLabels(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count == 0)
        {
            return null;
        }

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach ((string name, string value) in labels)
            {
                writer.WriteString(name, value);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static Dictionary<string, string> ReadLabels(string? json)
    {
        var labels = new Dictionary<string, string>();
        if (json is not null && TryParse(json) is { RootElement.ValueKind: JsonValueKind.Object } document)
        {
            using JsonDocument parsed = document;
            foreach (JsonProperty label in document.RootElement.EnumerateObject())
            {
                labels[label.Name] = label.Value.GetString() ?? "";
            }
        }

        return labels;
    }

    /// <summary>Labels that were damaged are no labels: one row must not keep the others from being read.</summary>
    private static JsonDocument? TryParse(string json)
    {
        try
        {
            return JsonDocument.Parse(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
