namespace Holdfast.Supervisor.Children;

/// <summary>
/// Finds the file of a command as a shell would in the child's own PATH and folder: posix_spawnp would look in the supervisor's.
/// </summary>
public static class CommandSearch
{
    /// <summary>What a shell says for a command that is not there, and for one that may not be run.</summary>
    public const int NotFoundCode = 127;

    public const int NotExecutableCode = 126;
    private const int Exists = 0;
    private const int MayExecute = 1;

    // execvp's, when there is no PATH at all.
    private const string DefaultPath = "/bin:/usr/bin";

    /// <summary>The path to execute, seen from <paramref name="directory"/>; or null with the shell's exit code and a sentence.</summary>
    public static string? Find(string command, string directory, string[] environment, out int exitCode, out string reason)
    {
        exitCode = NotFoundCode;
        reason = "";
        if (command.Contains('/', StringComparison.Ordinal))
        {
            return Check(command, directory, command, ref exitCode, ref reason) ? command : null;
        }

        string path = Variable(environment, "PATH") ?? DefaultPath;
        string blocked = "";
        int start = 0;
        while (command.Length > 0 && start <= path.Length)
        {
            int end = path.IndexOf(':', start);
            end = end < 0 ? path.Length : end;

            // An empty entry is the folder the command runs in.
            string folder = end == start ? "." : path[start..end];
            string candidate = folder + "/" + command;
            if (Check(candidate, directory, command, ref exitCode, ref reason))
            {
                return candidate;
            }

            // The first that is there but may not be run is what the user hears about, unless a later folder has one that may.
            blocked = exitCode == NotExecutableCode && blocked.Length == 0 ? reason : blocked;
            start = end + 1;
        }

        exitCode = blocked.Length > 0 ? NotExecutableCode : NotFoundCode;
        reason = blocked.Length > 0 ? blocked : $"The command '{command}' was not found in PATH ({path}).";
        return null;
    }

    private static bool Check(string candidate, string directory, string command, ref int exitCode, ref string reason)
    {
        string full = Path.Combine(directory, candidate);
        if (Posix.Access(full, Exists) != 0)
        {
            exitCode = NotFoundCode;
            reason = $"The command '{command}' was not found: there is no file {full}.";
            return false;
        }

        if (Directory.Exists(full) || Posix.Access(full, MayExecute) != 0)
        {
            exitCode = NotExecutableCode;
            reason = Directory.Exists(full)
                ? $"The command '{command}' is a folder: {full}."
                : $"The command '{command}' may not be executed: {full} lacks the permission.";
            return false;
        }

        return true;
    }

    private static string? Variable(string[] environment, string name)
    {
        foreach (string variable in environment)
        {
            if (variable.Length > name.Length && variable[name.Length] == '=' && variable.StartsWith(name, StringComparison.Ordinal))
            {
                return variable[(name.Length + 1)..];
            }
        }

        return null;
    }
}
