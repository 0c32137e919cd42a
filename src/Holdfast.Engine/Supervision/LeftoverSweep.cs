using System.Globalization;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// Ends what a dead supervisor left running. Only processes that carry the attempt's own mark in their environment are touched: the id and
/// half of its secret nonce, which nothing else on the machine can have by accident. Its socket goes too, at which nobody will ever listen
/// again.
/// </summary>
public static class LeftoverSweep
{
    private const int RoundsMax = 50;

    /// <summary>Kills every process marked with this attempt until none is found; returns how many there were.</summary>
    public static int Run(string attempt, string nonce)
    {
        byte[] mark = System.Text.Encoding.ASCII.GetBytes($"HOLDFAST_ATTEMPT={attempt}:{nonce[..16]}");
        var killed = new HashSet<ProcessIdentity>(); // One that dies slowly is met in several rounds.
        for (int round = 0; round < RoundsMax; round++)
        {
            int found = 0;
            foreach (string directory in Directory.EnumerateDirectories("/proc"))
            {
                if (
                    int.TryParse(Path.GetFileName(directory), NumberStyles.None, CultureInfo.InvariantCulture, out int pid)
                    && ProcessIdentity.Of(pid) is { } identity
                    && HasMark(pid, mark)
                    && identity.IsAlive()
                )
                {
                    found++;
                    killed.Add(identity);
                    _ = Libc.Kill(pid, Libc.SigKill);
                }
            }

            if (found == 0)
            {
                break;
            }
        }

        return killed.Count;
    }

    /// <summary>Unlinks the socket of a supervisor whose process is proven gone; anything else by that name stays.</summary>
    public static void RemoveSocket(SupervisorRecord? dead)
    {
        if (dead is null || dead.Process.IsAlive() || FileOwner.Of(dead.Socket) is not { IsSocket: true })
        {
            return;
        }

        try
        {
            File.Delete(dead.Socket);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The sweep for orphans finds it.
        }
    }

    private static bool HasMark(int pid, byte[] mark)
    {
        try
        {
            ReadOnlySpan<byte> environment = File.ReadAllBytes($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/environ");
            int at = environment.IndexOf(mark);
            return at >= 0 && (at == 0 || environment[at - 1] == 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // Gone, or another user's and so not ours.
        }
    }
}
