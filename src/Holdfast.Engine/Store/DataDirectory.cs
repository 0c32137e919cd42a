using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Store;

/// <summary>
/// A data directory held by this server: locked against a second one, private to its owner, with its token. The lock is what makes the
/// store's single writer true; it is the process's for life, and the kernel gives it back however the process ends.
/// </summary>
public sealed class DataDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Others =
        UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite
        | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead
        | UnixFileMode.OtherWrite
        | UnixFileMode.OtherExecute;

    private const int TokenBytes = 32;
    private const int TokenFileBytesMax = 64 * 1024;
    private const int LockAttempts = 10;
    private static readonly TimeSpan LockPause = TimeSpan.FromMilliseconds(20);

    private readonly FileLock _lock;

    private DataDirectory(DataDirectoryPaths paths, FileLock held, string token, string sockets)
    {
        Paths = paths;
        _lock = held;
        Token = token;
        Sockets = sockets;
    }

    public DataDirectoryPaths Paths { get; }

    /// <summary>What clients must show: 64 hexadecimal digits, unless the operator put something else into the file.</summary>
    public string Token { get; }

    /// <summary>The folder of the supervisors' sockets: see <see cref="SocketDirectory"/>.</summary>
    public string Sockets { get; }

    /// <summary>
    /// Creates the directory where needed, takes its lock and makes it ready. Errors (<see cref="DataDirectoryException"/>):
    /// <c>data-directory-in-use</c>, <c>data-directory-not-writable</c>, <c>disk-full</c>.
    /// </summary>
    public static DataDirectory Open(DataDirectoryPaths paths, Func<string, string?> environment)
    {
        FileLock? held = null;
        try
        {
            _ = Directory.CreateDirectory(paths.Root, OwnerOnly);
            held = Acquire(paths);
            KeepOthersOut(paths);

            // Nobody else lives here now, so a record that is still there is a dead server's. If we die before the next line, it is only
            // stale again.
            if (ServerRecord.Read(paths.ServerRecord) is { } dead)
            {
                RuntimePipes.Remove(dead.Process, environment("TMPDIR") is { Length: > 0 } temporary ? temporary : "/tmp");
            }

            File.Delete(paths.ServerRecord);
            foreach (string directory in (ReadOnlySpan<string>)[paths.Attempts, paths.Run, paths.Assets])
            {
                _ = Directory.CreateDirectory(directory, OwnerOnly);
            }

            RefuseLostStore(paths);
            string sockets = SocketDirectory.Choose(paths, environment);
            SocketDirectory.Prepare(sockets);
            return new DataDirectory(paths, held, ReadOrCreateToken(paths.Token), sockets);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            held?.Dispose();
            throw Unusable(paths, error);
        }
        catch
        {
            held?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The address of a supervisor's socket. Short ids are kept to <see cref="SocketDirectory.ShortIdLengthMax"/> characters by whoever
    /// makes them.
    /// </summary>
    public string Socket(string shortId)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(shortId.Length, SocketDirectory.ShortIdLengthMax);
        return Path.Combine(Sockets, shortId + ".sock");
    }

    /// <summary>
    /// Writes <c>server.json</c>: to be called when the server listens at this address, and not before. Errors: disk-full,
    /// data-directory-not-writable.
    /// </summary>
    /// <param name="certificateSha256">The fingerprint of its certificate, when it speaks TLS.</param>
    /// <param name="certificate">Where that and its key lie.</param>
    public void Announce(string url, string version, string? certificateSha256 = null, (string File, string Key)? certificate = null)
    {
        try
        {
            new ServerRecord(url, ProcessIdentity.Current, version)
            {
                CertificateSha256 = certificateSha256,
                CertificateFile = certificate?.File,
                CertificateKey = certificate?.Key,
            }.Write(Paths.ServerRecord);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable(Paths, error);
        }
    }

    /// <summary>Withdraws the record, and then gives the lock back, so that no one finds a record without its server.</summary>
    public void Dispose()
    {
        try
        {
            File.Delete(Paths.ServerRecord);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A record left behind names a process that no longer lives, which every reader checks.
        }

        _lock.Dispose();
    }

    private static FileLock Acquire(DataDirectoryPaths paths)
    {
        using var pause = new ManualResetEventSlim();
        for (int attempt = 1; ; attempt++)
        {
            if (FileLock.TryAcquire(paths.ServerLock) is { } held)
            {
                return held;
            }

            ServerRecord? first = ServerRecord.Read(paths.ServerRecord);
            if (first?.Process.IsAlive() == true || attempt == LockAttempts)
            {
                throw InUse(paths, first);
            }

            // No living server is named. The holder may be one that looks whether the lock is held, or a child between fork and exec of a
            // server that was just killed: both let go within an instant.
            _ = pause.Wait(LockPause);
        }
    }

    private static DataDirectoryException InUse(DataDirectoryPaths paths, ServerRecord? first) =>
        new(
            ErrorCodes.DataDirectoryInUse,
            first is null
                ? $"The data directory {paths.Root} is in use by another Holdfast server that is just starting (it holds {paths.ServerLock} and has not written its address yet). Try again in a moment, or give another directory with --data."
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"The data directory {paths.Root} is in use by the Holdfast server with pid {first.Process.Pid} at {first.Url} (version {first.Version}). Use that server, stop it first, or give another directory with --data."
                )
        );

    /// <summary>
    /// Takes the permissions of others away from a directory that is plainly ours: new, empty, or used by us before. Everything we create
    /// in it is private anyway.
    /// </summary>
    private static void KeepOthersOut(DataDirectoryPaths paths)
    {
        bool isPlainlyOurs =
            File.Exists(paths.Database)
            || File.Exists(paths.Token)
            || Directory.EnumerateFileSystemEntries(paths.Root).All(entry => entry == paths.ServerLock);
        UnixFileMode mode = File.GetUnixFileMode(paths.Root);
        if (isPlainlyOurs && (mode & Others) != 0 && FileOwner.Of(paths.Root)?.UserId == Libc.GetUid())
        {
            File.SetUnixFileMode(paths.Root, OwnerOnly);
        }
    }

    /// <summary>
    /// Attempts are made by a store: where there are some and it is gone or emptied, a new one would know none of them, and they would be
    /// swept away as nobody's.
    /// </summary>
    private static void RefuseLostStore(DataDirectoryPaths paths)
    {
        if (
            !HasContent(paths.Database)
            && !HasContent(paths.Database + "-wal")
            && Directory.EnumerateDirectories(paths.Attempts).Any(static d => Ulid.IsWellFormed(Path.GetFileName(d)))
        )
        {
            throw new DataDirectoryException(
                ErrorCodes.StoreCorrupt,
                $"The database {paths.Database} is missing or empty, and there is work of it in {paths.Attempts}. Put the database back from a copy; or, to begin anew without that work, move {paths.Attempts} away."
            );
        }

        static bool HasContent(string path) => Directory.Exists(path) || new FileInfo(path) is { Exists: true, Length: > 0 };
    }

    private static string ReadOrCreateToken(string path)
    {
        if (File.Exists(path))
        {
            if ((File.GetUnixFileMode(path) & Others) != 0)
            {
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            // One that no client could send, such as the zeros that a power failure leaves, lets nobody in: it is replaced as an empty one.
            string kept = Encoding.UTF8.GetString(PlainFile.Read(path, TokenFileBytesMax)).TrimStart('\uFEFF').Trim();
            if (kept.Length > 0 && kept.All(static c => c is >= ' ' and < '\x7f'))
            {
                return kept;
            }
        }

        string token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(TokenBytes));
        DurableFile.Write(path, Encoding.ASCII.GetBytes(token + "\n"));
        return token;
    }

    private static DataDirectoryException Unusable(DataDirectoryPaths paths, Exception error)
    {
        if (error is IOException { HResult: Libc.Enospc or Libc.Edquot })
        {
            return new DataDirectoryException(
                ErrorCodes.DiskFull,
                $"There is no room left for the data directory {paths.Root}. Free some space and start again. ({error.Message})",
                error
            );
        }

        string existing = paths.Root;
        while (FileOwner.Of(existing) is null && Path.GetDirectoryName(existing) is { } parent)
        {
            existing = parent;
        }

        if (existing == paths.Root && FileOwner.Of(existing)?.UserId == Libc.GetUid())
        {
            return new DataDirectoryException(
                ErrorCodes.DataDirectoryNotWritable,
                $"Something in the data directory {paths.Root}, which is yours, cannot be read or written: {error.Message.TrimEnd('.')}. Put its permissions right (chmod -R u+rwX {paths.Root}), or give another directory with --data.",
                error
            );
        }

        return new DataDirectoryException(
            ErrorCodes.DataDirectoryNotWritable,
            string.Create(
                CultureInfo.InvariantCulture,
                $"The data directory {paths.Root} cannot be written: {existing} belongs to {FileOwner.Of(existing)?.Description ?? "nobody known"} and this is uid {Libc.GetUid()}. "
            ) + $"Give another directory with --data or HOLDFAST_DATA, or change its owner. ({error.Message})",
            error
        );
    }
}
