using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Recovery;

/// <summary>The statements of the table recovery_quarantine: attempts that a person has set aside, which start-ups leave alone.</summary>
internal static class QuarantineTable
{
    public static void Put(StoreTransaction transaction, AttemptId attempt, string reason, long at)
    {
        using Statement insert = transaction
            .Prepare("INSERT OR REPLACE INTO recovery_quarantine (attempt_id, at, reason) VALUES (?1, ?2, ?3)")
            .Bind(1, attempt.Value)
            .Bind(2, at)
            .Bind(3, reason);
        insert.Execute();
    }

    public static void Remove(StoreTransaction transaction, AttemptId attempt)
    {
        using Statement delete = transaction.Prepare("DELETE FROM recovery_quarantine WHERE attempt_id = ?1").Bind(1, attempt.Value);
        delete.Execute();
    }

    public static Dictionary<string, string> Reasons(StoreReader reader)
    {
        using Statement select = reader.Prepare("SELECT attempt_id, reason FROM recovery_quarantine");
        var reasons = new Dictionary<string, string>(StringComparer.Ordinal);
        while (select.Step())
        {
            reasons[select.Text(0)] = select.Text(1);
        }

        return reasons;
    }
}
