using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Kernels.Life;

/// <summary>The statements of the kernel_deaths table: what the circuit breaker counts.</summary>
internal static class KernelDeathsTable
{
    public static void Insert(StoreTransaction transaction, KernelId kernel, AttemptId attempt, KernelDeath death, long at)
    {
        using Statement insert = transaction
            .Prepare("INSERT INTO kernel_deaths (attempt_id, kernel_id, at, death) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING")
            .Bind(1, attempt.Value)
            .Bind(2, kernel.Value)
            .Bind(3, at)
            .Bind(4, death.ToJson());
        insert.Execute();
    }

    /// <summary>Oldest first.</summary>
    public static List<KernelDeath> Since(StoreReader reader, KernelId kernel, long since)
    {
        using Statement select = reader
            .Prepare("SELECT death FROM kernel_deaths WHERE kernel_id = ?1 AND at > ?2 ORDER BY at, attempt_id")
            .Bind(1, kernel.Value)
            .Bind(2, since);
        var deaths = new List<KernelDeath>();
        while (select.Step())
        {
            deaths.Add(KernelDeath.FromJson(select.Text(0)));
        }

        return deaths;
    }

    public static void Clear(StoreTransaction transaction, KernelId kernel)
    {
        using Statement delete = transaction.Prepare("DELETE FROM kernel_deaths WHERE kernel_id = ?1").Bind(1, kernel.Value);
        delete.Execute();
    }
}
