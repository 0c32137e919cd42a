using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Sessions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Which kernel a notebook's session uses: whoever has the notebook open in a Jupyter client is to see its cascades there, and to have
/// their values at hand.
/// </summary>
internal static class SessionKernels
{
    /// <param name="path">The notebook, absolute.</param>
    /// <returns>That of the oldest session whose kernel is not stopped; null when there is none.</returns>
    public static KernelId? Find(StoreReader reader, string path, string root)
    {
        string? file = null;
        foreach (Session session in SessionsTable.Current(reader))
        {
            if (
                session.Type == SessionLedger.Notebook
                && (
                    PathOf(session, root) is var own && own == path
                    || NotebookStorage.RealPathOf(own) == (file ??= NotebookStorage.RealPathOf(path))
                )
            )
            {
                return session.KernelId;
            }
        }

        return null;
    }

    /// <summary>Where a session's notebook is.</summary>
    public static string PathOf(Session session, string root) => Path.GetFullPath(session.Path.TrimStart('/'), root);
}
