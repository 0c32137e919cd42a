using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Sessions;

/// <summary>
/// Ends a session and its kernel, whoever else uses that, as Jupyter has it. The kernel first: what is left by a crash between is a session
/// whose kernel is gone.
/// Errors: session-not-found; session-kernel-gone when the kernel was stopped before, in which case the session is removed all the same;
/// supervisor-unreachable.
/// </summary>
public sealed class StopSession(StateStore store, SessionLedger ledger, StopKernel stop)
{
    public async Task RunAsync(SessionId id, CancellationToken cancellationToken)
    {
        Session session = store.Read(reader => SessionsTable.Find(reader, id)) ?? throw SessionId.NotFound(id.Value);
        bool hadKernel = store.Read(reader => KernelsTable.Find(reader, session.KernelId)) is { State: not KernelState.Stopped };
        if (hadKernel)
        {
            await stop.DismissAsync(session.KernelId, cancellationToken);
        }

        await store.WriteAsync(transaction => ledger.Remove(transaction, session), CancellationToken.None);
        if (!hadKernel)
        {
            throw new RefusedException(
                ErrorCodes.SessionKernelGone,
                $"The kernel of session {id} was stopped before the session. The session is removed."
            );
        }
    }
}
