using System.Net.Sockets;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Starts supervisor processes, each with one end of a socket pair as descriptor 3, so that the first link needs no path and no waiting.
/// </summary>
public sealed class SupervisorSpawner(string supervisorPath, SupervisorReaper reaper)
{
    private const int UnixDomain = 1;
    private const int StreamCloseOnExec = 1 | Libc.OpenCloseOnExec;
    private static readonly string[] Environment = BuildEnvironment();

    /// <summary>Spawns a supervisor for an attempt whose spec.json is written; returns its pid and our end of the link.</summary>
    public unsafe (int Pid, Socket Socket) Spawn(string attemptDirectory)
    {
        int* ends = stackalloc int[2];
        if (Libc.SocketPair(UnixDomain, StreamCloseOnExec, 0, ends) != 0)
        {
            throw Libc.Failure("socketpair", "for a supervisor");
        }

        int pid = ChildProcess.Spawn(
            new ChildStart([supervisorPath, "run", attemptDirectory], Environment, "/") { Extra = ends[1], BlocksChildSignal = true }
        );
        _ = Libc.Close(ends[1]);
        if (pid < 0)
        {
            _ = Libc.Close(ends[0]);
            throw new IOException(
                $"The supervisor {supervisorPath} could not be started: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(-pid)}."
            );
        }

        reaper.ChildSpawned();
        return (pid, new Socket(new SafeSocketHandle(ends[0], ownsHandle: true)));
    }

    /// <summary>
    /// Whether a supervisor has this variable as the server has it: all but the server's token and the settings of its runtime.
    /// </summary>
    internal static bool Passes(string name) =>
        !name.StartsWith("DOTNET_gc", StringComparison.OrdinalIgnoreCase)
        && !name.StartsWith("DOTNET_Tiered", StringComparison.OrdinalIgnoreCase)
        && name is not ("HOLDFAST_TOKEN" or "DOTNET_EnableDiagnostics");

    private static string[] BuildEnvironment()
    {
        var variables = new List<string>();
        foreach (System.Collections.DictionaryEntry variable in System.Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (Passes(name))
            {
                variables.Add($"{name}={variable.Value}");
            }
        }

        // A supervisor is one thread with a tiny heap, and there may be many.
        variables.Add("DOTNET_gcServer=0");
        variables.Add("DOTNET_gcConcurrent=0");

        // Measured: without a small first generation a supervisor that has held some hundred jobs keeps 20 MB of garbage; without
        // diagnostics it has three threads less.
        variables.Add("DOTNET_GCgen0size=0x80000");
        variables.Add("DOTNET_EnableDiagnostics=0");
        return [.. variables];
    }
}
