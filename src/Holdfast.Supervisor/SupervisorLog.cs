using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor;

/// <summary>Lines for people on descriptor 2, which is the attempt's supervisor.log. Rare: the journal carries what matters.</summary>
internal static unsafe class SupervisorLog
{
    public static void Write(string line)
    {
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        byte[] bytes = Encoding.UTF8.GetBytes(
            now.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z' ", System.Globalization.CultureInfo.InvariantCulture) + line + "\n"
        );
        fixed (byte* start = bytes)
        {
            // A log that cannot be written, on a full disk say, is not worth a job.
            _ = Libc.Write(2, start, (nuint)bytes.Length);
        }
    }
}
