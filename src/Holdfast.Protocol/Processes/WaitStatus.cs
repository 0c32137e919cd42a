namespace Holdfast.Protocol.Processes;

/// <summary>How a process ended, decoded from wait(2): an exit code or a signal, never both.</summary>
public readonly record struct WaitStatus(int? ExitCode, int? Signal, bool HasDumpedCore)
{
    public static WaitStatus Decode(int status) =>
        (status & 0x7f) == 0
            ? new WaitStatus((status >> 8) & 0xff, null, false)
            : new WaitStatus(null, status & 0x7f, (status & 0x80) != 0);
}
