using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor;

/// <summary>holdfast-supervisor: holds one attempt after another and outlives the server. Started by the server, not by people.</summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        if (arguments is ["run", { Length: > 0 } directory])
        {
            // Everything that matters is on the disk, and the runtime's own way out would wake its compiler for it.
            Posix.ExitNow(SupervisorProcess.Run(directory));
        }

        Say(
            "usage: holdfast-supervisor run ATTEMPT-DIRECTORY\n\nStarted by the Holdfast server for each job or kernel; see docs/spec/supervisor-link.md.\n"
        );
        const int usageError = 64;
        return usageError;
    }

    private static unsafe void Say(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* start = bytes)
        {
            _ = Libc.Write(2, start, (nuint)bytes.Length);
        }
    }
}
