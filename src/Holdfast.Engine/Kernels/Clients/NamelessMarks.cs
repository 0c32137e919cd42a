using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// Marks of clients that came without a session, as gateways of jupyter-server 1 do. Such a client cannot say that it is back; but who
/// comes nameless to a kernel that has just lost a nameless client, without a goodbye, goes on in its place: what it gets too much are
/// answers to what it never asked, which clients pass over.
/// </summary>
internal sealed class NamelessMarks(string directory, TimeProvider time)
{
    private const string Prefix = "nameless-";

    /// <summary>
    /// How long after its loss, or after the server's start, a client is waited for: a gateway gives up within about a minute.
    /// </summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private readonly long _start = time.GetTimestamp();
    private readonly HashSet<string> _inUse = []; // guarded by _lock
    private readonly Dictionary<string, long> _lost = []; // guarded by _lock

    /// <summary>
    /// The mark of the client that was lost first and is still waited for, or a new one; and those of the other lost ones, whose answers
    /// may be this one's.
    /// </summary>
    public (string Path, IReadOnlyList<string> Others) Take(KernelId kernel)
    {
        lock (_lock)
        {
            List<string> waiting = FindWaiting(Path.Combine(directory, kernel.Value));
            string path = waiting.Count > 0 ? waiting[0] : Path.Combine(directory, kernel.Value, Prefix + Ulid.New(time) + ".mark");
            _inUse.Add(path);
            _lost.Remove(path);
            return (path, waiting.Count > 1 ? waiting[1..] : []);
        }
    }

    /// <summary>The client is gone: for good when it said goodbye, which every other mark survives.</summary>
    public void Leave(string path, bool isForGood)
    {
        lock (_lock)
        {
            if (!_inUse.Remove(path))
            {
                return;
            }

            if (isForGood)
            {
                File.Delete(path);
            }
            else
            {
                _lost[path] = time.GetTimestamp();
            }
        }
    }

    private List<string> FindWaiting(string folder)
    {
        var waiting = new List<string>();
        foreach (string path in Directory.Exists(folder) ? Directory.GetFiles(folder, Prefix + "*") : [])
        {
            if (_inUse.Contains(path))
            {
                continue;
            }

            if (time.GetElapsedTime(_lost.GetValueOrDefault(path, _start)) < Patience)
            {
                waiting.Add(path);
                continue;
            }

            _lost.Remove(path);
            File.Delete(path);
        }

        waiting.Sort((a, b) => (_lost.GetValueOrDefault(a, _start), a).CompareTo((_lost.GetValueOrDefault(b, _start), b)));
        return waiting;
    }
}
