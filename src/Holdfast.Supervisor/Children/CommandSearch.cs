namespace Holdfast.Supervisor.Children;

/// <summary>
/// Finds the file of a command as a shell would in the child's own PATH and folder: posix_spawnp would look in the supervisor's.
/// </summary>
internal static class CommandSearch
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
        string? blocked = null;
        if (command.Contains('/', StringComparison.Ordinal))
        {
            if (IsExecutable(command, directory, ref blocked))
            {
                exitCode = 0;
                reason = "";
                return command;
            }

            return Failed(command, blocked, "there is no file " + Path.Combine(directory, command), out exitCode, out reason);
        }

        string path = Variable(environment, "PATH") ?? DefaultPath;
        for (int start = 0; command.Length > 0 && start <= path.Length; )
        {
            int end = path.IndexOf(':', start);
            end = end < 0 ? path.Length : end;

            // An empty entry is the folder the command runs in.
            string candidate = (end == start ? "." : path[start..end]) + "/" + command;
            if (IsExecutable(candidate, directory, ref blocked))
            {
                exitCode = 0;
                reason = "";
                return candidate;
            }

            start = end + 1;
        }

        return Failed(command, blocked, "PATH is " + path, out exitCode, out reason);
    }

    /// <param name="blocked">The first file that was there and may not be run: what the user hears about unless a later folder has one that
    /// may.</param>
    private static bool IsExecutable(string candidate, string directory, ref string? blocked)
    {
        string full = Path.Combine(directory, candidate);
        if (Posix.Access(full, Exists) != 0)
        {
            return false;
        }

        if (Posix.Access(full, MayExecute) == 0 && !Directory.Exists(full))
        {
            return true;
        }

        blocked ??= full;
        return false;
    }

    /// <summary>The sentence is only made here: on the way to a command most folders do not have it.</summary>
    private static string? Failed(string command, string? blocked, string looked, out int exitCode, out string reason)
    {
        exitCode = blocked is null ? NotFoundCode : NotExecutableCode;
        reason =
            blocked is null ? $"The command '{command}' was not found; {looked}."
            : Directory.Exists(blocked) ? $"The command '{command}' is a folder: {blocked}."
            : $"The command '{command}' may not be executed: {blocked} lacks the permission.";
        return null;
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
