using System.Collections;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Processes;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>Whether a kernelspec's program starts: it may be executed, and a Python that is to run a module has that module.</summary>
internal static class KernelLauncher
{
    private const int PatienceMs = 20_000;

    /// <summary>Null when it does; else what is wrong and what to do.</summary>
    public static (string Text, string Remedy)? Examine(KernelSpec spec, string program, Func<string, string?> environment)
    {
        if (!MayBeExecuted(program))
        {
            return ($"{program} may not be executed", $"chmod +x {program}");
        }

        string[] argv = spec.ResolveArgv();
        int module = Array.IndexOf(argv, "-m");
        if (module < 1 || module + 1 >= argv.Length || !Path.GetFileName(program).StartsWith("python", StringComparison.Ordinal))
        {
            return null;
        }

        string name = argv[module + 1];
        return Run(
            [program, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)", name],
            environment
        ) switch
        {
            0 => null,
            1 => (
                $"{program} has no module {name}",
                $"{program} -m pip install {(name == "ipykernel_launcher" ? "ipykernel" : name)}, or Debian's package of it"
            ),
            null => ($"{program} did not answer in {PatienceMs / 1000} s", $"try it: {program} -m {name} --help"),
            var status => ($"{program} ended with {status} when it was asked for {name}", $"try it: {program} -m {name} --help"),
        };
    }

    /// <summary>The exit status; null when it takes too long, and is ended.</summary>
    private static unsafe int? Run(string[] argv, Func<string, string?> environment)
    {
        int nothing = Libc.Open("/dev/null", Libc.OpenReadWrite | Libc.OpenCloseOnExec, 0);
        string[] variables =
        [
            .. from DictionaryEntry v in Environment.GetEnvironmentVariables()
            let name = (string)v.Key
            where environment(name) is not null
            select $"{name}={environment(name)}",
        ];
        int pid = ChildProcess.Spawn(
            new ChildStart(argv, variables, null)
            {
                StandardInput = nothing,
                StandardOutput = nothing,
                StandardError = nothing,
            }
        );
        _ = Libc.Close(nothing);
        if (pid < 0)
        {
            return 127;
        }

        int ended = Libc.PidfdOpen(pid);
        bool hasEnded = ended < 0 || Tty.WaitReadable(ended, PatienceMs);
        _ = Libc.Close(ended);
        if (!hasEnded)
        {
            _ = Libc.Kill(pid, Libc.SigKill); // Our own child, which nobody has waited for: the pid is still its own.
        }

        int raw;
        _ = Libc.WaitPid(pid, &raw, 0);
        var status = WaitStatus.Decode(raw);
        return hasEnded ? status.ExitCode ?? 128 + status.Signal : null;
    }

    private static bool MayBeExecuted(string path)
    {
        try
        {
            return (File.GetUnixFileMode(path) & (UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute)) != 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
