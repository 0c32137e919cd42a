using System.Diagnostics;
using System.Globalization;
using Holdfast.Bench.Processes;

namespace Holdfast.Bench.Peers;

/// <summary>task-spooler: one small C daemon that keeps its queue in memory; one client process per job, as people use it.</summary>
internal sealed class TaskSpooler : IDisposable
{
    private const string Program = "/usr/bin/tsp";

    private readonly Sandbox _sandbox;
    private readonly (string, string)[] _variables;
    private readonly string[] _environment;

    private TaskSpooler(Sandbox sandbox)
    {
        _sandbox = sandbox;
        string folder = sandbox.NewFolder("tsp");
        _variables = [("TS_SOCKET", Path.Combine(folder, "socket")), ("TMPDIR", folder), ("TS_MAXFINISHED", "50")];
        _environment = sandbox.Variables(_variables);
    }

    public static TaskSpooler? StartIfInstalled(Sandbox sandbox, int slots)
    {
        if (!File.Exists(Program))
        {
            return null;
        }

        var spooler = new TaskSpooler(sandbox);
        _ = spooler.Run("-S", slots.ToString(CultureInfo.InvariantCulture));
        return spooler;
    }

    /// <summary>From the first submit until no job is left.</summary>
    public TimeSpan Time(int count)
    {
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < count; i++)
        {
            Call("true");
        }

        Call("-w"); // For the last one submitted; those before it were started before it.
        while (
            Run("-l")
                .Split('\n')
                .Any(line => line.Contains(" queued ", StringComparison.Ordinal) || line.Contains(" running ", StringComparison.Ordinal))
        ) { }

        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>One job, waited for.</summary>
    public TimeSpan TimeOne()
    {
        long start = Stopwatch.GetTimestamp();
        Call("-f", "true");
        return Stopwatch.GetElapsedTime(start);
    }

    public void Dispose() => _ = Run("-K");

    /// <summary>As cheap as it can be from here: no output, and the environment made once.</summary>
    private void Call(params string[] args)
    {
        if (_sandbox.StartWith([Program, .. args], _environment).Wait().ExitCode != 0)
        {
            throw new IOException($"tsp {string.Join(' ', args)} failed.");
        }
    }

    private string Run(params string[] args) => _sandbox.Run([Program, .. args], _variables);
}
