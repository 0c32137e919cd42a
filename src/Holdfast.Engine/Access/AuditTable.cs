using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>One thing that somebody did. Times are microseconds.</summary>
public sealed record AuditEntry(
    long Sequence,
    long At,
    string TokenId,
    string TokenName,
    string Remote,
    string Operation,
    string Subject,
    string? Reason
);

/// <summary>Which entries are wanted, newest first.</summary>
public sealed record AuditFilter
{
    public const int LimitDefault = 100;
    public const int LimitMax = 1000;

    public long? Before { get; init; }
    public string? Subject { get; init; }

    /// <summary>A token's id or name.</summary>
    public string? Token { get; init; }

    public string? Operation { get; init; }
    public int Limit { get; init; } = LimitDefault;
}

/// <summary>The statements of the audit table, which is only ever added to; beyond a bound the oldest go.</summary>
internal static class AuditTable
{
    private const long KeptMax = 1_000_000;
    private const long SweepEvery = 1000;

    /// <summary>Stores who did what in the transaction that does it. Nothing, when it is the server's own doing.</summary>
    public static void Record(StoreTransaction transaction, long at, string operation, string subject, string? reason = null)
    {
        if (transaction.Actor is { } actor)
        {
            Insert(transaction, at, actor, operation, subject, reason);
            actor.IsRecorded = true;
        }
    }

    public static void Insert(StoreTransaction transaction, long at, Actor actor, string operation, string subject, string? reason)
    {
        using Statement insert = transaction
            .Prepare("INSERT INTO audit (at, token_id, token_name, remote, operation, subject, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .Bind(1, at)
            .Bind(2, actor.TokenId)
            .Bind(3, actor.TokenName)
            .Bind(4, actor.Remote)
            .Bind(5, operation)
            .Bind(6, subject)
            .Bind(7, reason);
        long sequence = insert.ExecuteInsert();
        if (sequence % SweepEvery == 0)
        {
            using Statement delete = transaction.Prepare("DELETE FROM audit WHERE seq <= ?1").Bind(1, sequence - KeptMax);
            delete.Execute();
        }
    }

    public static List<AuditEntry> List(StoreReader reader, AuditFilter filter)
    {
        using Statement select = reader
            .Prepare(
                "SELECT seq, at, token_id, token_name, remote, operation, subject, reason FROM audit WHERE seq < ?1 AND (?2 IS NULL OR subject = ?2) "
                    + "AND (?3 IS NULL OR token_id = ?3 OR token_name = ?3) AND (?4 IS NULL OR operation = ?4) ORDER BY seq DESC LIMIT ?5"
            )
            .Bind(1, filter.Before ?? long.MaxValue)
            .Bind(2, filter.Subject)
            .Bind(3, filter.Token)
            .Bind(4, filter.Operation)
            .Bind(5, filter.Limit);
        var entries = new List<AuditEntry>();
        while (select.Step())
        {
            entries.Add(
                new AuditEntry(
                    select.Int64(0),
                    select.Int64(1),
                    select.Text(2),
                    select.Text(3),
                    select.Text(4),
                    select.Text(5),
                    select.Text(6),
                    select.TextOrNull(7)
                )
            );
        }

        return entries;
    }
}
