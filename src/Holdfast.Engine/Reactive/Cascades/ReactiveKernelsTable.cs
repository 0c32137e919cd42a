using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>The statements of the reactive_kernels table.</summary>
internal static class ReactiveKernelsTable
{
    public static void Put(StoreTransaction transaction, string path, KernelId kernel)
    {
        using Statement insert = transaction.Prepare("INSERT OR REPLACE INTO reactive_kernels (path, kernel_id) VALUES (?1, ?2)").Bind(1, path).Bind(2, kernel.Value);
        insert.Execute();
    }

    public static KernelId? Of(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare("SELECT kernel_id FROM reactive_kernels WHERE path = ?1").Bind(1, path);
        return select.Step() ? new KernelId(select.Text(0)) : null;
    }

    /// <summary>The notebook whose kernel this is; null when it is none's.</summary>
    public static string? PathOf(StoreReader reader, KernelId kernel)
    {
        using Statement select = reader.Prepare("SELECT path FROM reactive_kernels WHERE kernel_id = ?1").Bind(1, kernel.Value);
        return select.Step() ? select.Text(0) : null;
    }
}
