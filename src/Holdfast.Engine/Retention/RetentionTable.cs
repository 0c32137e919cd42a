using Holdfast.Engine.Assets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Retention;

/// <summary>
/// The statements that find and delete what is over. Each find names what still refers to a row, and leaves such a row alone.
/// </summary>
internal static class RetentionTable
{
    private const string IsUndelivered = "c.state IN ('waiting', 'pending', 'sending')";

    /// <summary>
    /// What may refer to an execution, as conditions on <c>e</c> under which it stays. A feature whose rows refer to executions adds its
    /// own here.
    /// </summary>
    private static readonly string[] ExecutionStays =
    [
        "EXISTS (SELECT 1 FROM runs r WHERE r.id = e.run_id AND r.finished_at IS NULL)",
        "EXISTS (SELECT 1 FROM lock_entries l WHERE l.execution_id = e.id)",
        "EXISTS (SELECT 1 FROM attempts a WHERE a.execution_id = e.id AND a.ended_at IS NULL)",
        "EXISTS (SELECT 1 FROM cell_values v WHERE v.execution_id = e.id)",
        $"EXISTS (SELECT 1 FROM callbacks c WHERE c.subject_id = e.id AND {IsUndelivered})",
    ];

    private static readonly string SelectExecutions =
        "SELECT e.id FROM executions e WHERE e.finished_at < ?1 "
        + string.Concat(ExecutionStays.Select(static stays => $"AND NOT {stays} "))
        + "ORDER BY e.finished_at LIMIT ?2";

    private const string SelectKernels =
        "SELECT k.id FROM kernels k WHERE k.attempt_id IS NULL AND k.state IN ('stopped', 'dead') AND k.last_activity < ?1 "
        + "AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.kernel_id = k.id) AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.kernel_id = k.id) "
        + "AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.kernel_id = k.id OR s.left_kernel_id = k.id) "
        + "AND NOT EXISTS (SELECT 1 FROM reactive_kernels v WHERE v.kernel_id = k.id) LIMIT ?2";

    public static List<string> Executions(StoreReader reader, long before, int limit) =>
        Texts(reader.Prepare(SelectExecutions).Bind(1, before).Bind(2, limit));

    /// <summary>
    /// Deletes an execution that is still as old and as free as when it was found, with its key and its attempts; the attempts' ids, or
    /// null when it stays.
    /// </summary>
    public static List<string>? DeleteExecution(StoreTransaction transaction, string id, long before)
    {
        using (
            Statement delete = transaction.Prepare("DELETE FROM executions WHERE id = ?1 AND finished_at < ?2").Bind(1, id).Bind(2, before)
        )
        {
            if (delete.Execute() == 0)
            {
                return null; // Retried since.
            }
        }

        using (Statement keys = transaction.Prepare("DELETE FROM idempotency WHERE execution_id = ?1").Bind(1, id))
        {
            keys.Execute();
        }

        DeleteCallbacks(transaction, id);
        _ = AssetsTable.ReleaseAll(transaction, AssetReferenceKind.Execution, id);
        return Texts(transaction.Prepare("DELETE FROM attempts WHERE execution_id = ?1 AND ended_at IS NOT NULL RETURNING id").Bind(1, id));
    }

    /// <summary>Kernels' incarnations that are over, and in which no cell that is kept has run.</summary>
    public static List<string> DeleteKernelAttempts(StoreTransaction transaction, long before, int limit) =>
        Texts(
            transaction
                .Prepare(
                    "DELETE FROM attempts WHERE fence IN (SELECT a.fence FROM attempts a WHERE a.kernel_id IS NOT NULL AND a.ended_at < ?1 "
                        + "AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.kernel_id = a.kernel_id AND e.attempt_id = a.id) AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.attempt_id = a.id) "
                        + "AND NOT EXISTS (SELECT 1 FROM kernels k WHERE k.attempt_id = a.id) ORDER BY a.ended_at LIMIT ?2) RETURNING id"
                )
                .Bind(1, before)
                .Bind(2, limit)
        );

    public static int DeleteRuns(StoreTransaction transaction, long before, int limit)
    {
        List<string> runs = Texts(
            transaction
                .Prepare(
                    "DELETE FROM runs WHERE id IN (SELECT r.id FROM runs r WHERE r.finished_at < ?1 AND NOT EXISTS (SELECT 1 FROM executions e WHERE e.run_id = r.id) "
                        + $"AND NOT EXISTS (SELECT 1 FROM callbacks c WHERE c.subject_id = r.id AND {IsUndelivered}) LIMIT ?2) RETURNING id"
                )
                .Bind(1, before)
                .Bind(2, limit)
        );
        runs.ForEach(run =>
        {
            DeleteCallbacks(transaction, run);
            _ = Execute(transaction.Prepare("DELETE FROM idempotency WHERE execution_id = ?1").Bind(1, run));
        });
        return runs.Count;
    }

    /// <summary>What was told, or parked and never redriven, goes with what it was about.</summary>
    private static void DeleteCallbacks(StoreTransaction transaction, string subject)
    {
        _ = Execute(
            transaction
                .Prepare("DELETE FROM callback_attempts WHERE callback_seq IN (SELECT seq FROM callbacks WHERE subject_id = ?1)")
                .Bind(1, subject)
        );
        _ = Execute(transaction.Prepare("DELETE FROM callbacks WHERE subject_id = ?1").Bind(1, subject));
    }

    /// <summary>Kernels that have ended and are nowhere spoken of, with their deaths and the notebooks they once had.</summary>
    public static int DeleteKernels(StoreTransaction transaction, long before, int limit)
    {
        List<string> kernels = Texts(transaction.Prepare(SelectKernels).Bind(1, before).Bind(2, limit));
        foreach (string kernel in kernels)
        {
            foreach (
                string delete in (string[])
                    [
                        "DELETE FROM kernel_deaths WHERE kernel_id = ?1",
                        "DELETE FROM notebook_kernels WHERE kernel_id = ?1",
                        "DELETE FROM kernels WHERE id = ?1",
                    ]
            )
            {
                _ = Execute(transaction.Prepare(delete).Bind(1, kernel));
            }
        }

        return kernels.Count;
    }

    /// <summary>Attempts whose journal is older than is kept, marked as gone: the folders are to be removed after the commit.</summary>
    public static List<string> MarkJournals(StoreTransaction transaction, long before, long at, int limit) =>
        Texts(
            transaction
                .Prepare(
                    "UPDATE attempts SET journal_removed_at = ?2 WHERE fence IN (SELECT a.fence FROM attempts a WHERE a.ended_at < ?1 AND a.journal_removed_at IS NULL "
                        + "AND NOT EXISTS (SELECT 1 FROM runs r WHERE r.attempt_id = a.id AND r.finished_at IS NULL) ORDER BY a.ended_at LIMIT ?3) RETURNING id"
                )
                .Bind(1, before)
                .Bind(2, at)
                .Bind(3, limit)
        );

    public static bool IsJournalRemoved(StoreReader reader, AttemptId id)
    {
        using Statement select = reader.Prepare("SELECT journal_removed_at IS NOT NULL FROM attempts WHERE id = ?1").Bind(1, id.Value);
        return select.Step() && select.Bool(0);
    }

    /// <summary>Events older than is kept, oldest first; never the last one, so that positions go on from it.</summary>
    public static int DeleteEvents(StoreTransaction transaction, long before, int limit) =>
        Execute(
            transaction
                .Prepare(
                    "DELETE FROM feed WHERE position IN (SELECT f.position FROM feed f WHERE f.position < coalesce((SELECT n.position FROM feed n WHERE n.at >= ?1 ORDER BY n.position LIMIT 1), "
                        + "(SELECT max(position) FROM feed)) ORDER BY f.position LIMIT ?2)"
                )
                .Bind(1, before)
                .Bind(2, limit)
        );

    /// <summary>
    /// Gives free pages at the end of the file back to the disk, a few at a time. Does nothing in a store that was made before there was
    /// such a thing.
    /// </summary>
    public static void Shrink(StoreTransaction transaction, int pages)
    {
        using Statement vacuum = transaction.Prepare(
            $"PRAGMA incremental_vacuum({pages.ToString(System.Globalization.CultureInfo.InvariantCulture)})"
        );
        while (vacuum.Step()) { }
    }

    private static int Execute(Statement statement)
    {
        using (statement)
        {
            return statement.Execute();
        }
    }

    private static List<string> Texts(Statement statement)
    {
        using (statement)
        {
            var texts = new List<string>();
            while (statement.Step())
            {
                texts.Add(statement.Text(0));
            }

            return texts;
        }
    }
}
