using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// The clients that are connected to kernels, and where each session stands that ever was. A session has one connection at a time: a second
/// one takes its place, when the first has said where it got to.
/// </summary>
public sealed class KernelClients(
    LiveKernels kernels,
    LiveAttempts attempts,
    AttemptFolders folders,
    StateStore store,
    string directory,
    TimeProvider time
)
{
    /// <summary>Marks kept per kernel; each is a kilobyte, and a page that is reloaded leaves one behind.</summary>
    private const int MarksMax = 64;

    private readonly ConcurrentDictionary<string, KernelClient> _bySession = new();
    private readonly NamelessMarks _nameless = new(directory, time);

    /// <summary>
    /// Connects a client. With a session that was here before, or without any in the place of one that was lost, it goes on where that one
    /// got to; else it begins at what the kernel says next.
    /// Errors: kernel-not-found, kernel-not-running.
    /// </summary>
    /// <param name="wake">Called from anywhere when the cursor may have more to read.</param>
    /// <param name="replaced">Called when another connection of the same session comes; the client then leaves.</param>
    public async Task<KernelClient> JoinAsync(
        KernelId kernel,
        string? session,
        Action wake,
        Action replaced,
        CancellationToken cancellationToken
    )
    {
        (string path, IReadOnlyList<string> others) = session is null ? _nameless.Take(kernel) : (PathOf(kernel, session), []);
        var client = new KernelClient(this, kernels, kernel, path, session is null ? [] : Encoding.UTF8.GetBytes(session), replaced);
        while (_bySession.GetOrAdd(path, client) is var other && other != client)
        {
            other.Replace();
            await other.Left.WaitAsync(cancellationToken);
        }

        try
        {
            SessionMark mark = OpenMark(path);
            client.Mark = mark;
            (Attempt Attempt, SessionPlace At)? known = Place(kernel, mark);
            (Attempt attempt, SessionPlace at) = known ?? await BeginAsync(kernel, cancellationToken);
            client.Begin(
                new ClientCursor(kernels, attempts, folders, store, time, kernel, attempt, at, wake),
                isReturning: known is not null
            );
            foreach (string other in others)
            {
                using SessionMark lost = SessionMark.Open(other);
                lost.ReadNames().ForEach(name => client.AddName(name));
            }

            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    internal void Leave(KernelClient client)
    {
        _bySession.TryRemove(new KeyValuePair<string, KernelClient>(client.Path, client));
        _nameless.Leave(client.Path, client.HasSaidGoodbye);
    }

    private async Task<(Attempt, SessionPlace)> BeginAsync(KernelId kernel, CancellationToken cancellationToken)
    {
        LiveKernel live = kernels.Get(kernel);
        await live.CaughtUp.WaitAsync(cancellationToken); // Else it would be shown what was said before the server's last start.
        return (live.Live.Attempt, new SessionPlace(live.Live.Id.Value, live.Position, 0));
    }

    private (Attempt Attempt, SessionPlace At)? Place(KernelId kernel, SessionMark mark)
    {
        if (mark.Read() is not { } place)
        {
            return null;
        }

        Attempt? attempt = store.Read(reader => AttemptsTable.Find(reader, new AttemptId(place.Attempt)));
        return attempt?.KernelId == kernel.Value && Directory.Exists(new AttemptFiles(folders.Of(attempt.Id)).Journal)
            ? (attempt, place)
            : null;
    }

    private SessionMark OpenMark(string path)
    {
        SessionMark mark = SessionMark.Open(path);
        FileInfo[] marks = new DirectoryInfo(Path.GetDirectoryName(path)!).GetFiles();
        if (marks.Length > MarksMax)
        {
            foreach (
                FileInfo old in marks
                    .OrderBy(static file => file.LastWriteTimeUtc)
                    .Take(marks.Length - MarksMax)
                    .Where(file => !_bySession.ContainsKey(file.FullName))
            )
            {
                old.Delete();
            }
        }

        return mark;
    }

    /// <summary>By its hash: a session's name is the client's, and could be anything.</summary>
    private string PathOf(KernelId kernel, string session) =>
        Path.Combine(
            directory,
            kernel.Value,
            Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(session)).AsSpan(0, 16)) + ".mark"
        );
}
