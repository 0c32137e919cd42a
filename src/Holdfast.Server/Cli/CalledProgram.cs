using Holdfast.Protocol.Processes;

namespace Holdfast.Server.Cli;

/// <summary>
/// The program by the path that it was called by, with the links in it: an upgrade points such a link at the next version, and whoever
/// starts it by the link later starts that one.
/// </summary>
internal static class CalledProgram
{
    /// <param name="calledAs">The first word of the command line, as it was typed.</param>
    /// <param name="executable">What runs now, without links; the answer when the word leads to something else.</param>
    public static string Find(string calledAs, string currentDirectory, string? searchPath, string executable)
    {
        IEnumerable<string> candidates = calledAs.Contains('/', StringComparison.Ordinal)
            ? [Path.GetFullPath(calledAs, currentDirectory)]
            : (searchPath ?? "")
                .Split(':', StringSplitOptions.RemoveEmptyEntries)
                .Select(folder => Path.GetFullPath(Path.Combine(folder, calledAs), currentDirectory));
        FileStatus? runs = FileStatus.Of(executable);
        return candidates.FirstOrDefault(candidate =>
                FileStatus.Of(candidate) is { } there && (there.Device, there.Inode) == (runs?.Device, runs?.Inode)
            ) ?? executable;
    }

    /// <summary>As this process was called.</summary>
    public static string? Word()
    {
        try
        {
            string line = File.ReadAllText("/proc/self/cmdline");
            return line.Split('\0')[0] is { Length: > 0 } word ? word : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
