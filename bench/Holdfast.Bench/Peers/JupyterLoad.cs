using System.Globalization;
using System.Text.Json.Nodes;
using Holdfast.Bench.Processes;

namespace Holdfast.Bench.Peers;

/// <summary>
/// One client of one kernel, the same script whoever it talks to: see Peers/jupyter_load.py. Whatever it measures, it measures by its own
/// clock.
/// </summary>
internal sealed class JupyterLoad(Sandbox sandbox)
{
    private static readonly string Script = Path.Combine(AppContext.BaseDirectory, "Peers", "jupyter_load.py");

    /// <summary>jupyter_client straight to a kernel, or with <c>raw</c> a bare ZeroMQ socket.</summary>
    public JsonNode Straight(string way, params string[] work) => Run([way, .. work], null);

    public JsonNode Through(string url, string token, int pid, params string[] work) => Run([url, token, .. work], pid);

    public static string[] Command(string url, string token, string work) => ["/usr/bin/python3", Script, url, token, work];

    private JsonNode Run(string[] arguments, int? watched)
    {
        (string, string)[] variables = watched is { } pid ? [("WATCH", pid.ToString(CultureInfo.InvariantCulture))] : [];
        return JsonNode.Parse(sandbox.Run(["/usr/bin/python3", Script, .. arguments], variables).Trim().Split('\n')[^1])!;
    }
}
