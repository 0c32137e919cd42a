using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>The statements of the reactive_kernels table.</summary>
internal static class ReactiveKernelsTable
{
    public static void Put(StoreTransaction transaction, string path, KernelId kernel)
    {
        using Statement insert = transaction
            .Prepare("INSERT OR REPLACE INTO reactive_kernels (path, kernel_id) VALUES (?1, ?2)")
            .Bind(1, path)
            .Bind(2, kernel.Value);
        insert.Execute();
    }

    public static KernelId? Of(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare("SELECT kernel_id FROM reactive_kernels WHERE path = ?1").Bind(1, path);
        return select.Step() ? new KernelId(select.Text(0)) : null;
    }

    /// <summary>The incarnation of the notebook's kernel that lives, or is being started; null when it has none.</summary>
    public static AttemptId? IncarnationOf(StoreReader reader, string path) =>
        Of(reader, path) is { } id ? KernelsTable.Find(reader, id)?.AttemptId : null;

    /// <summary>The notebooks whose kernel this is: more than one only where a client has given them one kernel.</summary>
    public static List<string> PathsOf(StoreReader reader, KernelId kernel)
    {
        using Statement select = reader.Prepare("SELECT path FROM reactive_kernels WHERE kernel_id = ?1").Bind(1, kernel.Value);
        var paths = new List<string>();
        while (select.Step())
        {
            paths.Add(select.Text(0));
        }

        return paths;
    }
}
