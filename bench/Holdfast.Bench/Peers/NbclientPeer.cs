using System.Diagnostics;
using System.Globalization;
using Holdfast.Bench.Processes;

namespace Holdfast.Bench.Peers;

/// <summary>nbclient, as Debian has it, by a script that does what `jupyter execute` does and tells how long the cells took.</summary>
internal sealed class NbclientPeer
{
    private readonly Sandbox _sandbox;

    private NbclientPeer(Sandbox sandbox) => _sandbox = sandbox;

    public static NbclientPeer? IfInstalled(Sandbox sandbox) =>
        Directory.Exists("/usr/lib/python3/dist-packages/nbclient") ? new NbclientPeer(sandbox) : null;

    /// <summary>Milliseconds of the cells, and of the whole command.</summary>
    public (double Cells, double Total) Time(string notebook)
    {
        long start = Stopwatch.GetTimestamp();
        string said = _sandbox.Run(["/usr/bin/python3", Path.Combine(AppContext.BaseDirectory, "Peers", "nbclient_run.py"), notebook]);
        double total = Stopwatch.GetElapsedTime(start).TotalMilliseconds;
        return (double.Parse(said.Trim().Split('\n')[^1], CultureInfo.InvariantCulture), total);
    }
}
