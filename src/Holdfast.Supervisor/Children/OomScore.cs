using System.Globalization;
using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// Makes the supervisor a worse victim than its child when memory runs out: it lowers its own score where it is allowed to (a privileged
/// one is), and gives the child the score that it would have had.
/// </summary>
internal static class OomScore
{
    private const int Lowered = -500;
    private const string OwnPath = "/proc/self/oom_score_adj";

    private static byte[]? _original;

    public static void LowerOwn()
    {
        byte[]? original = RawFile.Read(OwnPath);
        if (
            original is not null
            && System.Buffers.Text.Utf8Parser.TryParse(original, out int score, out _)
            && score > Lowered
            && RawFile.TryWrite(OwnPath, Encoding.ASCII.GetBytes(Lowered.ToString(CultureInfo.InvariantCulture)))
        )
        {
            _original = original;
        }
    }

    /// <summary>Right after the spawn; what the child forks before that keeps our score, which harms nobody.</summary>
    public static void ResetFor(int pid)
    {
        if (_original is not null)
        {
            _ = RawFile.TryWrite(string.Create(CultureInfo.InvariantCulture, $"/proc/{pid}/oom_score_adj"), _original);
        }
    }
}
