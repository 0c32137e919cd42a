using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Holdfast.Protocol;

namespace Holdfast.Engine.Sessions;

/// <summary>
/// Moves or renames a session, or gives it another kernel: one that is there, or a new one. Then the old one is stopped, unless another
/// session uses it. 1. The new kernel and the session that has it and still owes the end of the old are one commit; 2. the old kernel is
/// stopped; 3. the debt is struck out. A server that dies between finds the debt.
/// Errors: session-not-found, kernel-not-found, kernelspec-not-found, disk-full.
/// </summary>
public sealed class ChangeSession(StateStore store, SessionLedger ledger, StartKernel startKernel, LeftKernels left, string root)
{
    public async Task RunAsync(SessionId id, SessionChange change, CancellationToken cancellationToken)
    {
        Session changed;
        using (await ledger.TakeTurnAsync(cancellationToken))
        {
            if (store.Read(reader => SessionsTable.Find(reader, id)) is { LeftKernelId: not null } owing)
            {
                await left.StopAsync(owing, cancellationToken); // There is room for one debt only.
            }

            changed = await ChangeAsync(id, change, cancellationToken);
        }

        if (changed.LeftKernelId is not null)
        {
            CrashPoints.Reach(CrashPoint.ServerSessionMoved);
            await left.StopAsync(changed, cancellationToken);
        }
    }

    private async Task<Session> ChangeAsync(SessionId id, SessionChange change, CancellationToken cancellationToken)
    {
        Session before = store.Read(reader => SessionsTable.Find(reader, id)) ?? throw SessionId.NotFound(id.Value);
        Session changed = ledger.WithFile(
            before with
            {
                Path = change.Path ?? before.Path,
                Name = change.Name ?? before.Name,
                Type = change.Type ?? before.Type,
            }
        );
        if (change.KernelId is null && change.SpecName is not null)
        {
            Session stored = changed;
            await startKernel.BeginAsync(
                StartSession.KernelFor(root, changed.Path, change.SpecName),
                cancellationToken,
                (transaction, kernel) => stored = Store(transaction, changed, kernel.Id)
            );
            return stored;
        }

        return await store.WriteAsync(
            transaction =>
            {
                KernelId kernel = change.KernelId ?? before.KernelId;
                return KernelsTable.Find(transaction, kernel) is null or { State: KernelState.Stopped }
                    ? throw KernelId.NotFound(kernel.Value)
                    : Store(transaction, changed, kernel);
            },
            cancellationToken
        );
    }

    private Session Store(StoreTransaction transaction, Session session, KernelId kernel)
    {
        // It may have been stopped since; then its new kernel is not wanted, either.
        _ = SessionsTable.Find(transaction, session.Id) ?? throw SessionId.NotFound(session.Id.Value);
        KernelId old = session.KernelId;
        session = session with { KernelId = kernel };
        SessionsTable.Update(transaction, session);
        if (old != kernel && !SessionsTable.IsUsed(transaction, old))
        {
            session = session with { LeftKernelId = old };
        }

        ledger.Change(transaction, session);
        return session;
    }
}
