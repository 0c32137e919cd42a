using System.Net;
using System.Net.Sockets;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>What can be said of a data directory that no server has open.</summary>
internal static class StoreChecks
{
    public static IEnumerable<Finding> WithoutServer(DataDirectoryPaths paths)
    {
        if (File.Exists(paths.Database))
        {
            yield return Integrity(paths);
        }

        yield return Port();
    }

    public static Finding OfProblems(IReadOnlyList<string> problems) =>
        problems.Count == 0
            ? Finding.Ok("store", "the database is sound")
            : Finding.Problem(
                "store",
                string.Join("; ", problems),
                "stop the server, keep a copy of the data directory, and restore the database from a backup or with `sqlite3 .recover`"
            );

    private static Finding Integrity(DataDirectoryPaths paths)
    {
        // Held while the file is read, so that no server starts on it meanwhile.
        using FileLock? held = FileLock.TryAcquire(paths.ServerLock);
        return held is null
            ? Finding.Warning(
                "store",
                "another process holds the data directory and says no address: a server that is just starting, or hangs",
                $"look at {Path.Combine(paths.Root, "server.log")} and try again"
            )
            : OfProblems(IntegrityCheck.Run(paths.Root));
    }

    private static Finding Port()
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, ServeOptions.DefaultPort));
            return Finding.Ok("port", FormattableString.Invariant($"{ServeOptions.DefaultPort} is free"));
        }
        catch (SocketException)
        {
            return Finding.Warning(
                "port",
                FormattableString.Invariant($"{ServeOptions.DefaultPort} is in use by another program"),
                "start with `holdfast serve --port N`; `run` and `submit` take a free one by themselves"
            );
        }
    }
}
