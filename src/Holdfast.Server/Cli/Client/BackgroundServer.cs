using System.Collections;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Starts a server that outlives us, where a verb needs one and there is none. Two of these may race: the data directory's lock decides,
/// and the loser's caller finds the winner's server.
/// </summary>
internal static class BackgroundServer
{
    private const int LogTailBytes = 2000;
    private const long LogBytesMax = 10 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>A cold start with ten thousand queued jobs takes 0.6 s; half a minute is for a machine on its knees.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    /// <summary>Returns when the server listens; the first request then waits for its recovery.</summary>
    public static async Task StartAsync(CliContext context, ServerLocator locator, CancellationToken cancellationToken)
    {
        DataDirectoryPaths paths = locator.Paths;
        string log = Path.Combine(paths.Root, "server.log");
        int pid = Spawn(context, paths, log);
        long start = context.Time.GetTimestamp();
        while (true)
        {
            if (ServerRecord.FindLive(paths) is { } record)
            {
                string who = record.Process.Pid == pid ? "started a server" : "found a server that was just started";
                context.Terminal.WriteErrorLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"holdfast: {who} at {record.Url}, process {record.Process.Pid}; it goes on running (holdfast stop ends it), its log is {log}"
                    )
                );
                return;
            }

            if (HasEnded(pid) && !FileLock.IsHeld(paths.ServerLock))
            {
                throw Failed("it ended at once", log);
            }

            if (context.Time.GetElapsedTime(start) > Patience)
            {
                throw Failed($"it did not listen within {Durations.Format(Patience)}", log);
            }

            // For the moment in which a process comes up, looking is simpler than being told, and ends with it.
            await Task.Delay(Pause, context.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private static int Spawn(CliContext context, DataDirectoryPaths paths, string log)
    {
        string executable =
            context.Executable
            ?? throw new RefusedException(
                ErrorCodes.ServerUnreachable,
                "No server runs, and the program to start one with is not known. Start it with: holdfast serve"
            );
        int output = OpenLog(paths, log);
        try
        {
            // The home directory as root and as working directory: a server that serves for weeks must not pin the folder one command was
            // typed in.
            string home = context.Environment("HOME") is { Length: > 0 } given && Directory.Exists(given) ? given : "/";
            string port = IsFree(ServeOptions.DefaultPort) ? ServeOptions.DefaultPort.ToString(CultureInfo.InvariantCulture) : "0";
            int pid = ChildProcess.Spawn(
                new ChildStart([executable, "serve", "--data", paths.Root, "--root", home, "--port", port], Variables(), home)
                {
                    StandardOutput = output,
                    StandardError = output,
                }
            );
            return pid > 0
                ? pid
                : throw Failed(string.Create(CultureInfo.InvariantCulture, $"{executable} could not be started, errno {-pid}"), log);
        }
        finally
        {
            _ = Libc.Close(output);
        }
    }

    private static int OpenLog(DataDirectoryPaths paths, string log)
    {
        try
        {
            _ = Directory.CreateDirectory(paths.Root, OwnerOnly);
            if (File.Exists(log) && new FileInfo(log).Length > LogBytesMax)
            {
                File.Move(log, log + ".1", overwrite: true);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(paths, error.Message);
        }

        int fd = Libc.Open(log, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenAppend | Libc.OpenCloseOnExec, Libc.OwnerReadWrite);
        return fd >= 0 ? fd : throw NotWritable(paths, Libc.Failure("open", log).Message);
    }

    private static RefusedException NotWritable(DataDirectoryPaths paths, string why) =>
        new(
            ErrorCodes.DataDirectoryNotWritable,
            $"No server could be started on {paths.Root}: {why}. Give another directory with --data or HOLDFAST_DATA."
        );

    private static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static List<string> Variables()
    {
        var variables = new List<string>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            variables.Add($"{variable.Key}={variable.Value}");
        }

        return variables;
    }

    // Ours to reap, or a zombie; either way it runs no more.
    private static bool HasEnded(int pid) => ProcessStat.Of(pid) is null or { State: 'Z' or 'X' };

    private static RefusedException Failed(string why, string log)
    {
        string tail = Tail(log);
        return new RefusedException(
            ErrorCodes.ServerUnreachable,
            $"A server was started, but {why}. Its log is {log}{(tail.Length == 0 ? ", and empty." : $"; its last words:\n{tail}")}"
        );
    }

    private static string Tail(string log)
    {
        try
        {
            using FileStream file = File.OpenRead(log);
            file.Position = Math.Max(0, file.Length - LogTailBytes);
            using var reader = new StreamReader(file);
            return reader.ReadToEnd().TrimEnd();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
