using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Which kernels have run which notebook. Whoever makes, moves or changes a session says so here, in the same transaction.
/// </summary>
internal static class NotebookKernelsTable
{
    /// <param name="path">The file's own absolute path, links followed where there is a file.</param>
    public static void Bind(StoreTransaction transaction, string path, KernelId kernel, long at)
    {
        using Statement insert = transaction
            .Prepare(
                "INSERT INTO notebook_kernels (path, kernel_id, bound_at) VALUES (?1, ?2, ?3) ON CONFLICT (path, kernel_id) DO UPDATE SET bound_at = excluded.bound_at"
            )
            .Bind(1, path)
            .Bind(2, kernel.Value)
            .Bind(3, at);
        insert.Execute();
    }

    /// <summary>A notebook, or the folder of several, has another path.</summary>
    public static void Move(StoreTransaction transaction, string from, string to)
    {
        using Statement update = transaction
            .Prepare(
                "UPDATE OR REPLACE notebook_kernels SET path = ?2 || substr(path, length(?1) + 1) WHERE path = ?1 OR substr(path, 1, length(?1) + 1) = ?1 || '/'"
            )
            .Bind(1, from)
            .Bind(2, to);
        update.Execute();
    }

    /// <summary>A notebook, or the folder of several, is gone: what comes to have its name is another.</summary>
    public static void Forget(StoreTransaction transaction, string path)
    {
        using Statement delete = transaction
            .Prepare("DELETE FROM notebook_kernels WHERE path = ?1 OR substr(path, 1, length(?1) + 1) = ?1 || '/'")
            .Bind(1, path);
        delete.Execute();
    }
}
