using System.Globalization;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Store;

/// <summary>
/// What .NET leaves in the folder for temporary files when one of its processes is killed: the addresses at which its diagnostics could be
/// asked. Their names tell pid and start of the process, so that those of a dead server of ours can be told from anybody else's.
/// </summary>
internal static class RuntimePipes
{
    /// <param name="dead">Whom the data directory's own record named, while its lock was free.</param>
    /// <param name="folder">Where the runtime puts them: TMPDIR, else /tmp.</param>
    public static void Remove(ProcessIdentity dead, string folder)
    {
        if (ProcessStat.Of(dead.Pid) is { } now && now.StartTicks == dead.StartTicks)
        {
            return; // Alive in some other life of the machine, or about to end.
        }

        string process = string.Create(CultureInfo.InvariantCulture, $"{dead.Pid}-{dead.StartTicks}");
        foreach (
            string name in (ReadOnlySpan<string>)
                [$"dotnet-diagnostic-{process}-socket", $"clr-debug-pipe-{process}-in", $"clr-debug-pipe-{process}-out"]
        )
        {
            string path = Path.Combine(folder, name);
            try
            {
                if (FileOwner.Of(path) is { IsFile: false, IsDirectory: false } owner && owner.UserId == Libc.GetUid())
                {
                    File.Delete(path);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It does no harm where it is.
            }
        }
    }
}
