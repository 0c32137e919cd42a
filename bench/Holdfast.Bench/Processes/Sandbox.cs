using System.Text;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Processes;

/// <summary>
/// A temporary folder, and everything that was started in it. Each process gets a variable with a value of our own in its environment,
/// which servers, supervisors, jobs and kernels hand down: so whatever is left at the end is known to be ours, however it was started, and
/// is ended by its pid.
/// </summary>
internal sealed class Sandbox : IDisposable
{
    private const string MarkName = "HOLDFAST_BENCH";
    private readonly string _mark = $"{MarkName}={Guid.NewGuid():N}";
    private readonly Lock _lock = new();
    private int _folders; // guarded by _lock
    private bool _isDisposed; // guarded by _lock

    // Short: sockets below it have at most 107 bytes for their path.
    public Sandbox() => Folder = Directory.CreateTempSubdirectory("hf-bench-").FullName;

    public string Folder { get; }

    /// <summary>A folder that was not there before.</summary>
    public string NewFolder(string name)
    {
        lock (_lock)
        {
            return Directory.CreateDirectory(Path.Combine(Folder, $"{name}{++_folders}")).FullName;
        }
    }

    /// <summary>Starts a program; its output goes to the end of a file, or nowhere.</summary>
    public Child Start(
        IReadOnlyList<string> argv,
        string? outputFile = null,
        string? folder = null,
        params IEnumerable<(string Name, string Value)> variables
    )
    {
        int output = outputFile is null
            ? -1
            : Libc.Open(outputFile, Libc.OpenReadWrite | Libc.OpenCreate | Libc.OpenAppend | Libc.OpenCloseOnExec, 0x180);
        try
        {
            return StartWith(argv, Variables(variables), output, folder);
        }
        finally
        {
            _ = output < 0 ? 0 : Libc.Close(output);
        }
    }

    /// <summary>The same with an environment made before by <see cref="Variables"/>, where starting is what is measured.</summary>
    public Child StartWith(IReadOnlyList<string> argv, string[] environment, int output = -1, string? folder = null)
    {
        int pid = ChildProcess.Spawn(
            new ChildStart(argv, environment, folder ?? Folder) { StandardOutput = output, StandardError = output }
        );
        return pid > 0
            ? new Child(pid)
            : throw new IOException(
                $"{argv[0]} could not be started: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(-pid)}."
            );
    }

    /// <summary>Runs a program to its end, which has to be a good one, and gives what it said.</summary>
    public string Run(IReadOnlyList<string> argv, params IEnumerable<(string Name, string Value)> variables)
    {
        string file = Path.Combine(NewFolder("said"), "output");
        WaitStatus status = Start(argv, file, null, variables).Wait();
        string said = File.ReadAllText(file);
        return status.ExitCode == 0
            ? said
            : throw new IOException($"'{string.Join(' ', argv)}' ended with {status.ExitCode ?? -status.Signal}: {said}");
    }

    /// <summary>
    /// The environment of what is started here: ours, less what would lead it to a server that is not ours, and Debian's programs first.
    /// </summary>
    public string[] Variables(IEnumerable<(string Name, string Value)> variables)
    {
        var all = new Dictionary<string, string>();
        foreach (System.Collections.DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (name is not ("HOLDFAST_URL" or "HOLDFAST_TOKEN" or "HOLDFAST_DATA" or MarkName))
            {
                all[name] = (string?)variable.Value ?? "";
            }
        }

        all["PATH"] = "/usr/bin:" + all.GetValueOrDefault("PATH", "/bin");
        foreach ((string name, string value) in variables)
        {
            all[name] = value;
        }

        return [.. all.Select(v => $"{v.Key}={v.Value}"), _mark];
    }

    /// <summary>The processes of this sandbox whose command line contains a word.</summary>
    public List<int> Find(string word)
    {
        List<int> found = Find();
        found.RemoveAll(pid => !Read($"/proc/{pid}/cmdline").Contains(word, StringComparison.Ordinal));
        return found;
    }

    /// <summary>Ends whatever is left.</summary>
    public void Sweep()
    {
        // More than once: what is being started while we look carries the mark a moment later.
        for (int empty = 0, tries = 0; empty < 2 && tries < 200; tries++)
        {
            List<int> left = Find();
            left.ForEach(pid => Libc.Kill(pid, Libc.SigKill));
            empty = left.Count == 0 ? empty + 1 : 0;
            Thread.Sleep(5);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (!_isDisposed)
            {
                _isDisposed = true;
                Sweep();
                Directory.Delete(Folder, recursive: true);
            }
        }
    }

    private List<int> Find()
    {
        var found = new List<int>();
        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (
                int.TryParse(Path.GetFileName(folder), out int pid)
                && pid != Environment.ProcessId
                && ("\0" + Read(folder + "/environ")).Contains("\0" + _mark + "\0", StringComparison.Ordinal)
            )
            {
                found.Add(pid);
            }
        }

        return found;
    }

    /// <summary>Empty for a process that is gone, is a zombie, or is another user's.</summary>
    private static string Read(string file)
    {
        try
        {
            return Encoding.UTF8.GetString(File.ReadAllBytes(file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
