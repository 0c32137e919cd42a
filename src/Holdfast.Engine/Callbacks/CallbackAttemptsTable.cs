using Holdfast.Engine.Store;

namespace Holdfast.Engine.Callbacks;

/// <summary>The statements of the table callback_attempts.</summary>
internal static class CallbackAttemptsTable
{
    /// <summary>Begins one, and forgets the one that is too old to be kept.</summary>
    public static void Begin(StoreTransaction transaction, long callback, int number, long at)
    {
        using (
            Statement insert = transaction
                .Prepare("INSERT INTO callback_attempts (callback_seq, number, started_at) VALUES (?1, ?2, ?3)")
                .Bind(1, callback)
                .Bind(2, number)
                .Bind(3, at)
        )
        {
            insert.Execute();
        }

        if (number > CallbackLimits.AttemptsKept)
        {
            using Statement delete = transaction
                .Prepare("DELETE FROM callback_attempts WHERE callback_seq = ?1 AND number <= ?2")
                .Bind(1, callback)
                .Bind(2, number - CallbackLimits.AttemptsKept);
            delete.Execute();
        }
    }

    public static void End(StoreTransaction transaction, long callback, int number, long at, int? status, string? error, byte[]? answer)
    {
        using Statement update = transaction
            .Prepare(
                "UPDATE callback_attempts SET finished_at = ?3, status = ?4, error = ?5, answer = ?6 WHERE callback_seq = ?1 AND number = ?2"
            )
            .Bind(1, callback)
            .Bind(2, number)
            .Bind(3, at)
            .Bind(4, (long?)status)
            .Bind(5, error)
            .Bind(6, answer);
        update.Execute();
    }

    /// <summary>Oldest first.</summary>
    public static List<CallbackAttempt> Of(StoreReader reader, long callback)
    {
        using Statement select = reader
            .Prepare(
                "SELECT number, started_at, finished_at, status, error, answer FROM callback_attempts WHERE callback_seq = ?1 ORDER BY number"
            )
            .Bind(1, callback);
        var attempts = new List<CallbackAttempt>();
        while (select.Step())
        {
            attempts.Add(
                new CallbackAttempt(
                    select.Int32(0),
                    select.Int64(1),
                    select.Int64OrNull(2),
                    (int?)select.Int64OrNull(3),
                    select.TextOrNull(4),
                    select.BlobOrNull(5)
                )
            );
        }

        return attempts;
    }
}
