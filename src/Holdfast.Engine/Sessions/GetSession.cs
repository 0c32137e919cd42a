using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Sessions;

/// <summary>Reads sessions that have a kernel; one that died, or is being restarted, is a kernel. Errors: session-not-found.</summary>
public sealed class GetSession(StateStore store, GetKernel kernels)
{
    public IReadOnlyList<SessionView> List()
    {
        Dictionary<KernelId, KernelView> current = kernels.ListCurrent().ToDictionary(static k => k.Kernel.Id);
        return
        [
            .. store
                .Read(SessionsTable.Current)
                .Where(s => current.ContainsKey(s.KernelId))
                .Select(s => new SessionView(s, current[s.KernelId])),
        ];
    }

    public SessionView Run(SessionId id)
    {
        Session session = store.Read(reader => SessionsTable.Find(reader, id)) ?? throw SessionId.NotFound(id.Value);
        KernelView kernel = kernels.Run(session.KernelId);
        return kernel.Kernel.State == KernelState.Stopped ? throw SessionId.NotFound(id.Value) : new SessionView(session, kernel);
    }
}
