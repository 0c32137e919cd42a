using Holdfast.Engine.Access;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Sessions;

/// <summary>
/// The only writer of sessions: each change is stored together with its event. Operations that decide by what there is take turns, so that
/// two clients that open one notebook at the same moment get one kernel between them.
/// </summary>
public sealed class SessionLedger(FeedLog feed, string root, string host, TimeProvider time) : IDisposable
{
    internal const string Notebook = "notebook";

    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>
    /// A notebook has a session, or its session another kernel or path; with the path that it had before. Raised after the commit; handlers
    /// only take note.
    /// </summary>
    internal Action<Session, string?>? NotebookOpened { get; set; }

    /// <summary>Waits for its turn; disposing gives it on. Held for a commit or two, never for a kernel to be ready or to end.</summary>
    internal async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        return new Turn(_turn);
    }

    /// <summary>To be called before the transaction: looking for the file may take its time. Null for what is no notebook.</summary>
    internal Session WithFile(Session session) =>
        session.Type != Notebook
            ? session with
            {
                File = null,
            }
            : session with
            {
                File = NotebookStorage.RealPathOf(Path.GetFullPath(session.Path.TrimStart('/'), root)),
            };

    internal void Add(StoreTransaction transaction, Session session)
    {
        SessionsTable.DeleteOver(transaction, session.Path);
        SessionsTable.Insert(transaction, session, host);
        Bind(transaction, session, null);
        Announce(transaction, "session.started", session, nameof(StartSession));
    }

    internal void Change(StoreTransaction transaction, Session session)
    {
        string? before = SessionsTable.Find(transaction, session.Id)?.Path;
        SessionsTable.Update(transaction, session);
        Bind(transaction, session, before);
        Announce(transaction, "session.changed", session, nameof(ChangeSession));
    }

    internal void Remove(StoreTransaction transaction, Session session)
    {
        SessionsTable.Delete(transaction, session.Id);
        Announce(transaction, "session.stopped", session, nameof(StopSession));
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>What the kernel said is looked for when the notebook is opened again, also when the session is long over.</summary>
    private void Bind(StoreTransaction transaction, Session session, string? before)
    {
        if (session.File is { } file)
        {
            NotebookKernelsTable.Bind(transaction, file, session.KernelId, time.NowMicroseconds());
            transaction.OnCommitted(() => NotebookOpened?.Invoke(session, before));
        }
    }

    private void Announce(StoreTransaction transaction, string kind, Session session, string operation)
    {
        AuditTable.Record(transaction, time.NowMicroseconds(), operation, session.Id.Value, session.Path);
        feed.Append(
            transaction,
            kind,
            session.Id.Value,
            writer =>
            {
                writer.WriteString("id", session.Id.Value);
                writer.WriteString("path", session.Path);
                writer.WriteString("type", session.Type);
                writer.WriteString("kernelId", session.KernelId.Value);
            }
        );
    }

    private sealed class Turn(SemaphoreSlim turn) : IDisposable
    {
        private SemaphoreSlim? _turn = turn;

        public void Dispose() => Interlocked.Exchange(ref _turn, null)?.Release();
    }
}
