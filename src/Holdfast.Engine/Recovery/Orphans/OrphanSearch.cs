using System.Globalization;
using System.Net.Sockets;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Recovery.Orphans;

/// <summary>
/// Looks for what nobody owns, and touches nothing. What lies in our folders is ours only by its ownership record: an attempt's folder by
/// its id, its owner and its contents, a socket by its type and the name of an attempt. Everything else is foreign. A held lock is an
/// owner, whatever the store says.
/// </summary>
internal sealed class OrphanSearch(
    StateStore store,
    DataDirectory directory,
    AttemptFolders folders,
    LiveAttempts live,
    AttemptRecovery recovery,
    OrphanOptions options,
    TimeProvider time,
    AssetOrphans? assets = null
)
{
    /// <summary>Attempts asked for in one query: short, so that nobody waits behind it.</summary>
    private const int BatchMax = 500;

    /// <summary>The names of <see cref="AttemptFiles"/>, and our own mark.</summary>
    private static readonly HashSet<string> KnownNames =
    [
        "spec.json",
        "lock",
        "supervisor.json",
        "child.json",
        "exit.json",
        "void",
        "journal",
        "connection.json",
        "supervisor.log",
        "orphaned",
    ];

    public async Task<List<Orphan>> RunAsync(TrashFolder trash, CancellationToken cancellationToken)
    {
        List<Orphan> found =
        [
            .. trash
                .Due()
                .Select(path => new Orphan(OrphanKind.Discarded, path, OrphanAction.Delete, "It was set aside, and its grace is over.")),
            .. TornFiles
                .Find(directory.Paths.Root)
                .Where(IsOldEnough)
                .Select(path => new Orphan(
                    OrphanKind.TemporaryFile,
                    path,
                    OrphanAction.Delete,
                    "A write that was cut short left it; the file itself is whole or absent."
                )),
        ];
        foreach (string[] batch in Directory.EnumerateFileSystemEntries(directory.Paths.Attempts).Chunk(BatchMax))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Yield(); // Nobody waits for a sweep; whoever waits for a thread goes first.
            Dictionary<string, bool> known = store.Read(reader =>
                AttemptsTable.KnownAmong(reader, batch.Select(static path => Path.GetFileName(path)!))
            );
            foreach (string path in batch)
            {
                bool isKnown = known.TryGetValue(Path.GetFileName(path), out bool isLetGo);
                if (
                    (
                        isKnown
                            ? isLetGo
                                ? JudgeLetGo(path)
                                : null
                            : JudgeFolder(path)
                    ) is
                    { } orphan
                )
                {
                    found.Add(orphan);
                }
            }
        }

        if (assets is not null)
        {
            found.AddRange(await assets.FindAsync(IsOldEnough, cancellationToken));
        }

        List<Attempt> open = store.Read(AttemptsTable.Open);
        found.AddRange(Supervisors(open));
        found.AddRange(Sockets(open));
        found.AddRange(ControlGroups(open));
        found.AddRange(Marks());
        found.AddRange(Rows(open));
        return found;
    }

    /// <summary>A folder of an attempt that the store does not know: null while it is too young to say.</summary>
    private Orphan? JudgeFolder(string path)
    {
        if (
            !Ulid.IsWellFormed(Path.GetFileName(path))
            || FileOwner.Of(path) is not { IsDirectory: true } owner
            || owner.UserId != Libc.GetUid()
        )
        {
            return new Orphan(OrphanKind.Foreign, path, OrphanAction.None, "It is not a folder that this server makes.");
        }

        if (
            Directory.EnumerateFileSystemEntries(path).FirstOrDefault(static entry => !IsOfAttempt(Path.GetFileName(entry))) is { } stranger
        )
        {
            return new Orphan(
                OrphanKind.Foreign,
                path,
                OrphanAction.None,
                $"It looks like an attempt's folder, but there is '{Path.GetFileName(stranger)}' in it, which no attempt has."
            );
        }

        var files = new AttemptFiles(path);
        if (File.Exists(files.Lock) && FileLock.IsHeld(files.Lock))
        {
            return Supervisor(path, "The store does not know its attempt.");
        }

        return IsOldEnough(path)
            ? new Orphan(
                OrphanKind.AttemptFolder,
                path,
                OrphanAction.SetAside,
                "The store does not know its attempt, and nobody holds its lock."
            )
            : null;
    }

    /// <summary>
    /// The folder of an attempt whose row is kept and whose output retention has let go: somebody held its lock just then, or the server
    /// died before it could remove the folder. One whose lock is held is looked at with the supervisors.
    /// </summary>
    private Orphan? JudgeLetGo(string path)
    {
        var files = new AttemptFiles(path);
        return !IsOldEnough(path) || (File.Exists(files.Lock) && FileLock.IsHeld(files.Lock))
            ? null
            : new Orphan(
                OrphanKind.AttemptFolder,
                path,
                OrphanAction.SetAside,
                "Its output was older than is kept, and its folder could not be removed then."
            );
    }

    private static bool IsOfAttempt(string name) =>
        KnownNames.Contains(name) || name.EndsWith(".tmp", StringComparison.Ordinal) || name.StartsWith("k-", StringComparison.Ordinal);

    /// <summary>
    /// Supervisors that hold an attempt which the store knows to be over. Found by their own command lines, and believed only for the lock
    /// that they hold.
    /// </summary>
    private IEnumerable<Orphan> Supervisors(List<Attempt> open)
    {
        HashSet<string> opened = [.. open.Select(static a => a.Id.Value)];
        foreach (string process in Directory.EnumerateDirectories("/proc"))
        {
            if (
                !int.TryParse(Path.GetFileName(process), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                || CommandLine(pid) is not [_, "run", var folder]
            )
            {
                continue;
            }

            var files = new AttemptFiles(folder);
            string id = Path.GetFileName(folder);
            if (
                Path.GetDirectoryName(folder) == directory.Paths.Attempts
                && !opened.Contains(id)
                && !live.TryGet(new AttemptId(id), out _)
                && File.Exists(files.Exit) == false
                && File.Exists(files.Lock)
                && FileLock.IsHeld(files.Lock)
                && store.Read(reader => AttemptsTable.Find(reader, new AttemptId(id))) is not null
            )
            {
                yield return Supervisor(folder, "The store says that its attempt is over.");
            }
        }
    }

    private Orphan Supervisor(string folder, string reason)
    {
        DateTime? marked = File.Exists(SweepOrphans.MarkOf(folder)) ? File.GetLastWriteTimeUtc(SweepOrphans.MarkOf(folder)) : null;
        return marked is { } since && time.GetUtcNow().UtcDateTime - since >= options.Grace
            ? new Orphan(OrphanKind.Supervisor, folder, OrphanAction.Stop, $"{reason} So it was at the last sweeps, too.")
            : new Orphan(
                OrphanKind.Supervisor,
                folder,
                marked is null ? OrphanAction.Mark : OrphanAction.None,
                $"{reason} It is ended when that is still so after the grace."
            );
    }

    /// <summary>A supervisor's own, and those by which it speaks with its kernel where the attempt's folder is too deep for them.</summary>
    private IEnumerable<Orphan> Sockets(List<Attempt> open)
    {
        HashSet<string> used = [.. open.Select(NameOf), .. live.All.Select(a => NameOf(a.Attempt))];
        foreach (string path in Directory.EnumerateFileSystemEntries(directory.Sockets))
        {
            string name = Path.GetFileName(path);
            if (used.Contains(Path.GetFileNameWithoutExtension(path)) || !IsOldEnough(path))
            {
                continue;
            }

            if (!IsOfSupervisor(name) || FileOwner.Of(path) is not { IsSocket: true } owner || owner.UserId != Libc.GetUid())
            {
                yield return new Orphan(OrphanKind.Foreign, path, OrphanAction.None, "It is not a socket that a supervisor makes.");
            }
            else if (IsRefused(path))
            {
                yield return new Orphan(OrphanKind.Socket, path, OrphanAction.Delete, "Nobody listens at it.");
            }
        }
    }

    private string NameOf(Attempt attempt) => Path.GetFileNameWithoutExtension(folders.SocketOf(attempt.Id));

    private static bool IsOfSupervisor(string name) =>
        name.Length > SocketDirectory.ShortIdLengthMax
        && name[SocketDirectory.ShortIdLengthMax..] is ".sock" or ".k-1" or ".k-2" or ".k-3" or ".k-4" or ".k-5";

    /// <summary>True when the system itself says that nobody listens; a supervisor that is slow to answer is not refused.</summary>
    private static bool IsRefused(string path)
    {
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return false;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode == SocketError.ConnectionRefused;
        }
    }

    /// <summary>Groups that a supervisor made for a limit on memory and could not remove: beside our own group, as it makes them.</summary>
    private static IEnumerable<Orphan> ControlGroups(List<Attempt> open)
    {
        HashSet<string> opened = [.. open.Select(static a => a.Id.Value)];
        return from parent in OwnGroupParent()
            from path in Directory.EnumerateDirectories(parent, "holdfast-*")
            let id = Path.GetFileName(path)["holdfast-".Length..]
            where Ulid.IsWellFormed(id) && !opened.Contains(id) && IsEmptyGroup(path)
            select new Orphan(OrphanKind.ControlGroup, path, OrphanAction.Delete, "Its attempt is over, and there is no process in it.");
    }

    /// <summary>Where clients of a kernel stood that retention has deleted since.</summary>
    private List<Orphan> Marks()
    {
        string clients = directory.Paths.Clients;
        return !Directory.Exists(clients)
            ? []
            : store.Read(reader =>
                (
                    from path in Directory.EnumerateDirectories(clients)
                    where
                        Guid.TryParseExact(Path.GetFileName(path), "D", out _)
                        && IsOldEnough(path)
                        && KernelsTable.Find(reader, new KernelId(Path.GetFileName(path))) is null
                    where Directory.EnumerateFileSystemEntries(path).All(static entry => Path.GetExtension(entry) == ".mark")
                    select new Orphan(OrphanKind.ClientMarks, path, OrphanAction.Delete, "The store does not know its kernel.")
                ).ToList()
            );
    }

    private static string[] OwnGroupParent()
    {
        string? line = File.Exists("/proc/self/cgroup")
            ? File.ReadLines("/proc/self/cgroup").FirstOrDefault(static l => l.StartsWith("0::/", StringComparison.Ordinal))
            : null;
        string? parent = line is not null && line.LastIndexOf('/') is > 3 and var slash ? "/sys/fs/cgroup" + line[3..slash] : null;
        return parent is not null && Directory.Exists(parent) ? [parent] : [];
    }

    private static bool IsEmptyGroup(string path)
    {
        try
        {
            return File.ReadAllText(Path.Combine(path, "cgroup.procs")).Length == 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Rows that are open, of which nothing in the house knows, and which no start-up has set aside.</summary>
    private IEnumerable<Orphan> Rows(List<Attempt> open)
    {
        HashSet<string> pending = [.. recovery.Pending.Select(static a => a.Id.Value)];
        return from attempt in open
            where !live.TryGet(attempt.Id, out _) && !pending.Contains(attempt.Id.Value) && Age(attempt) > options.MinimumAge
            select new Orphan(
                OrphanKind.Row,
                attempt.Id.Value,
                OrphanAction.Judge,
                "The store says that it is open, and nothing in the house knows of it."
            );
    }

    /// <summary>By the time in its id; one from the future is as good as new.</summary>
    private TimeSpan Age(Attempt attempt) =>
        TimeSpan.FromMicroseconds(time.NowMicroseconds() - (Ulid.MillisecondsOf(attempt.Id.Value) * 1000));

    private bool IsOldEnough(string path) => time.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(path) >= options.MinimumAge;

    private static string[]? CommandLine(int pid)
    {
        try
        {
            string[] arguments = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/cmdline"))
                .TrimEnd('\0')
                .Split('\0');
            return arguments.Length == 3 && Path.GetFileName(arguments[0]) == "holdfast-supervisor" ? arguments : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Gone, or another user's.
        }
    }
}
