using System.Globalization;
using System.Runtime.InteropServices;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Cli.Doctor;

/// <summary>What the machine must have: the supervisor's program, two libraries, at least one kernel.</summary>
internal static class MachineChecks
{
    private const string ZmqLibrary = "libzmq.so.5";

    public static Finding Supervisor(string directory)
    {
        string path = Path.Combine(directory, "holdfast-supervisor");
        const UnixFileMode Executable = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return !File.Exists(path)
                ? Finding.Problem(
                    "supervisor",
                    $"{path} is missing",
                    "install Holdfast's folder whole: the supervisor belongs beside holdfast"
                )
            : (File.GetUnixFileMode(path) & Executable) == 0
                ? Finding.Problem("supervisor", $"{path} is not executable", $"chmod +x {path}")
            : Finding.Ok("supervisor", path);
    }

    public static Finding Sqlite()
    {
        try
        {
            SqliteLibrary.Require();
            return Finding.Ok("sqlite", $"libsqlite3 {SqliteLibrary.Version}");
        }
        catch (StoreException failure)
        {
            return Finding.Problem("sqlite", failure.Message, "apt-get install libsqlite3-0");
        }
    }

    public static unsafe Finding Zmq()
    {
        if (!NativeLibrary.TryLoad(ZmqLibrary, out nint library) || !NativeLibrary.TryGetExport(library, "zmq_version", out nint version))
        {
            return Finding.Problem("zmq", $"{ZmqLibrary} was not found: jobs run without it, kernels do not", "apt-get install libzmq5");
        }

        int major;
        int minor;
        int patch;
        ((delegate* unmanaged<int*, int*, int*, void>)version)(&major, &minor, &patch);
        return Finding.Ok("zmq", string.Create(CultureInfo.InvariantCulture, $"libzmq {major}.{minor}.{patch}"));
    }

    public static IEnumerable<Finding> Kernels(Func<string, string?> environment)
    {
        KernelSpecListing found = KernelSpecSearch.Search(KernelSpecSearch.Directories(environment));
        foreach (BrokenKernelSpec broken in found.Broken)
        {
            yield return Finding.Problem("kernelspec", $"{broken.ResourceDirectory}: {broken.Reason}", "repair or remove that folder");
        }

        foreach (KernelSpec spec in found.Specs)
        {
            string command = spec.ResolveArgv()[0];
            yield return Resolve(command, environment("PATH")) is not { } program
                ? Finding.Problem(
                    "kernelspec",
                    $"{spec.Name}: its command {command} was not found",
                    $"install it, put it on PATH, or remove {spec.ResourceDirectory}"
                )
            : KernelLauncher.Examine(spec, program, environment) is var (text, remedy)
                ? Finding.Problem("kernelspec", $"{spec.Name}: {text}", $"{remedy}; or remove {spec.ResourceDirectory}")
            : Finding.Ok("kernelspec", $"{spec.Name} ({spec.DisplayName}): {program}, {spec.Transport}");
        }

        if (found.Specs.Count == 0)
        {
            yield return Finding.Problem(
                "kernelspec",
                $"no kernel is installed; looked in {string.Join(", ", found.SearchedDirectories)}",
                "apt-get install python3-ipykernel"
            );
        }
    }

    /// <summary>The program that a command's first word names; null when there is none.</summary>
    internal static string? Resolve(string command, string? path)
    {
        if (command.Contains('/', StringComparison.Ordinal))
        {
            return File.Exists(command) ? command : null;
        }

        return (path ?? "")
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, command))
            .FirstOrDefault(File.Exists);
    }
}
