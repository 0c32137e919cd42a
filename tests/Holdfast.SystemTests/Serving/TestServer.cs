using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Serving;

/// <summary>How a test wants its server.</summary>
internal sealed record TestServerOptions
{
    /// <summary>The folder of the programs; default: the release.</summary>
    public string? Programs { get; init; }

    /// <summary>Further arguments of `holdfast serve`.</summary>
    public string[] Arguments { get; init; } = [];

    /// <summary>Variables of the server's environment, which its supervisors inherit.</summary>
    public Dictionary<string, string> Environment { get; init; } = [];

    /// <summary>
    /// Mounts a tmpfs with these options on the data directory, in a mount namespace of the server's own; the test looks into it through
    /// /proc. Such a server cannot be started again: the directory ends with the last process in it.
    /// </summary>
    public string? SmallDisk { get; init; }

    /// <summary>The root of notebooks and files lies on the small disk, too.</summary>
    public bool IsRootSmall { get; init; }

    /// <summary>Started again, it listens where it did before: for clients that come back by themselves.</summary>
    public bool KeepsPort { get; init; }

    /// <summary>A command that becomes the server: its own arguments come first.</summary>
    public string[] Wrapper { get; init; } = [];

    /// <summary>A session of its own, so that Ctrl-C in a terminal is for whoever started it, and not for it.</summary>
    public bool HasOwnSession { get; init; }
}

/// <summary>
/// A real `holdfast serve` on a data directory of its own, which is killed and started again as a test likes. In the end nothing of it is
/// left: no server, no supervisor, no child, no folder.
/// </summary>
internal sealed class TestServer : IAsyncDisposable, IStubbornCaller
{
    /// <summary>How many deaths under one question are a test's doing; more are a server that cannot start.</summary>
    private const int DeathsMax = 20;

    private readonly TestServerOptions _options;
    private Process? _process;
    private RestClient? _rest;
    private string? _mountNamespace;
    private int _port;

    private TestServer(TestServerOptions options)
    {
        _options = options;
        Folder = Directory.CreateTempSubdirectory("holdfast-").FullName;
        Data = Path.Combine(Folder, "data");
        Root = Path.Combine(Folder, "root");
        Directory.CreateDirectory(Root);
    }

    /// <summary>Leaves the folder to be looked at.</summary>
    public bool IsKept { get; set; }

    /// <summary>The test's own folder; data directory and root lie in it.</summary>
    public string Folder { get; }
    public string Data { get; }
    public string Root { get; }

    /// <summary>The data directory as this process can see it.</summary>
    public string SeenData =>
        _options.SmallDisk is null ? Data : string.Create(CultureInfo.InvariantCulture, $"/proc/{Process.Id}/root{Data}");

    public RestClient Rest => _rest ?? throw new InvalidOperationException("The server was never started.");
    public Process Process => _process ?? throw new InvalidOperationException("The server was never started.");
    public bool HasDied => _process is not { HasExited: false };
    public string Log => File.Exists(LogPath) ? File.ReadAllText(LogPath) : "";
    private string LogPath => Path.Combine(Folder, "server.log");

    public static async Task<TestServer> StartAsync(TestServerOptions? options = null)
    {
        var server = new TestServer(options ?? new TestServerOptions());
        try
        {
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>A server that is not started yet: for tests that prepare its data directory, or want it refused.</summary>
    public static TestServer Prepare(TestServerOptions? options = null) => new(options ?? new TestServerOptions());

    /// <summary>A path in the test's folder.</summary>
    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Starts it on the same data, and waits until it is ready.</summary>
    public async Task StartAgainAsync(TestServerOptions? options = null)
    {
        Launch(options ?? _options);
        await WaitUntilReadyAsync();
    }

    /// <summary>Starts the process and waits for nothing.</summary>
    public void Launch(TestServerOptions? options = null)
    {
        options ??= _options;

        // The shell opens the log and becomes the server: no pipe of ours for it, or what it leaves behind, to hang on.
        var start = new ProcessStartInfo("/bin/sh") { UseShellExecute = false, WorkingDirectory = Folder };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("log=$1; shift; exec \"$@\" </dev/null >>\"$log\" 2>&1");
        start.ArgumentList.Add("sh");
        start.ArgumentList.Add(LogPath);
        if (options.HasOwnSession)
        {
            start.ArgumentList.Add("setsid"); // Becomes the server, under the same pid: a shell's child leads no group.
        }

        if (options.SmallDisk is { } mount)
        {
            Directory.CreateDirectory(Data);
            foreach (
                string argument in (string[])
                    [
                        "unshare",
                        Libc.GetUid() == 0 ? "-m" : "-rm",
                        "sh",
                        "-c",
                        $"mount -t tmpfs -o '{mount}' tmpfs '{Data}' && {(options.IsRootSmall ? $"mkdir '{Data}/files' && mount --bind '{Data}/files' '{Root}' && " : "")}exec \"$@\"",
                        "sh",
                    ]
            )
            {
                start.ArgumentList.Add(argument);
            }
        }

        Array.ForEach(options.Wrapper, start.ArgumentList.Add);
        start.ArgumentList.Add(Path.Combine(options.Programs ?? Published.Release, "holdfast"));
        foreach (
            string argument in (string[])
                ["serve", "--data", Data, "--root", Root, "--port", _port.ToString(CultureInfo.InvariantCulture), .. options.Arguments]
        )
        {
            start.ArgumentList.Add(argument);
        }

        // Not the developer's server, nor one of these tests' own crash points; kernels come from Debian's python, and terminals have a
        // shell that reads no start-up files of anybody.
        foreach (
            string name in (string[])
                ["HOLDFAST_URL", "HOLDFAST_TOKEN", "HOLDFAST_DATA", "HOLDFAST_CRASH_POINT", "HOLDFAST_CRASH_ONCE", "HOLDFAST_ATTEMPT"]
        )
        {
            start.Environment.Remove(name);
        }

        start.Environment["SHELL"] = "/bin/sh";
        start.Environment["PATH"] = "/usr/bin:" + Environment.GetEnvironmentVariable("PATH");
        foreach ((string name, string value) in options.Environment)
        {
            start.Environment[name] = value;
        }

        _process?.Dispose();
        _process = Process.Start(start)!;
    }

    /// <summary>Waits until the started process answers and has recovered; fails with its log when it dies before.</summary>
    public async Task WaitUntilReadyAsync()
    {
        await WaitUntilListeningAsync();
        await Patience.UntilAsync(
            async () =>
            {
                ThrowIfDead();
                return (await Rest.GetAsync("/readyz")).Status == 200;
            },
            "the server was ready"
        );
    }

    /// <summary>Waits for server.json of the started process.</summary>
    public async Task WaitUntilListeningAsync()
    {
        string? url = null;
        await Patience.UntilAsync(
            () =>
            {
                ThrowIfDead();
                url = AnnouncedUrl();
                return url is not null;
            },
            "the server listened"
        );
        _rest?.Dispose();
        _mountNamespace = _options.SmallDisk is null ? null : HouseProcesses.MountNamespaceOf(Process.Id);
        _port = _options.KeepsPort ? new Uri(url!).Port : 0;
        _rest = new RestClient(url!, File.ReadAllText(Path.Combine(SeenData, "token")).Trim());
    }

    /// <summary>The server process ends as by kill -9, wherever it is.</summary>
    public async Task KillAsync()
    {
        if (!Process.HasExited)
        {
            _ = Libc.Kill(Process.Id, Libc.SigKill);
        }

        await Process.WaitForExitAsync();
    }

    /// <summary>Kills it and starts it again on the same data.</summary>
    public async Task RestartAsync()
    {
        await KillAsync();
        await StartAgainAsync();
    }

    /// <summary>Asks it to stop, and waits until it has; its exit code.</summary>
    public async Task<int> StopAsync()
    {
        _ = Libc.Kill(Process.Id, Libc.SigTerm);
        return await WaitForExitAsync();
    }

    public async Task<int> WaitForExitAsync()
    {
        await Process.WaitForExitAsync().WaitAsync(Patience.Limit);
        return Process.ExitCode;
    }

    /// <summary>
    /// Does what a stubborn caller does: asks, and when the server dies under the question, or is not there, starts it and asks again.
    /// Meant for what may be asked twice.
    /// </summary>
    public async Task<T> PersistAsync<T>(Func<RestClient, Task<T>> ask)
    {
        for (int deaths = 0; ; deaths++)
        {
            try
            {
                if (HasDied)
                {
                    await StartAgainAsync();
                }

                return await ask(Rest);
            }
            catch (Exception e) when (deaths < DeathsMax && (e is HttpRequestException or IOException or ServerDiedException))
            {
                // Its sockets close a little before it is gone for good.
                await Process.WaitForExitAsync().WaitAsync(Patience.Limit);
            }
        }
    }

    /// <summary>The attempts of an execution, oldest first.</summary>
    public List<AttemptFiles> AttemptsOf(string execution) => AttemptsByExecution().GetValueOrDefault(execution, []);

    /// <summary>The attempts of every job, oldest first, by its id.</summary>
    public Dictionary<string, List<AttemptFiles>> AttemptsByExecution()
    {
        const string variable = "HOLDFAST_EXECUTION=";
        return Attempts()
            .Select(static a =>
                (
                    a.Files,
                    Execution: Array
                        .Find(a.Spec.Environment, static v => v.StartsWith(variable, StringComparison.Ordinal))
                        ?[variable.Length..]
                )
            )
            .Where(static a => a.Execution is not null)
            .GroupBy(static a => a.Execution!)
            .ToDictionary(static g => g.Key, static g => g.Select(static a => a.Files).ToList());
    }

    public List<AttemptFiles> KernelAttempts() =>
        [.. Attempts().Where(static a => a.Spec.Kind == AttemptSpec.KindKernel).Select(static a => a.Files)];

    /// <summary>The supervisor of an execution's latest attempt, once it has said who it is.</summary>
    public async Task<ProcessIdentity> SupervisorOfAsync(string execution)
    {
        ProcessIdentity? found = null;
        await Patience.UntilAsync(
            () =>
            {
                if (AttemptsOf(execution) is [.., var last] && File.Exists(last.Supervisor))
                {
                    found = SupervisorRecord.Read(File.ReadAllBytes(last.Supervisor)).Process;
                }

                return found is not null;
            },
            "the execution had a supervisor"
        );
        return found!.Value;
    }

    /// <summary>Waits until nothing runs under the mark of an attempt; what is left is named.</summary>
    public async Task MustLeaveNothingAsync()
    {
        try
        {
            await Patience.UntilAsync(() => HouseProcesses.Work(Data).Count == 0, "nothing ran any more");
        }
        catch (TimeoutException)
        {
            throw new InvalidOperationException("Left behind: " + string.Join("; ", HouseProcesses.Work(Data)));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
            _process.Dispose();
        }

        HouseProcesses.KillAll(Data, _mountNamespace);
        _rest?.Dispose();
        if (IsKept)
        {
            return;
        }

        try
        {
            Directory.Delete(Folder, recursive: true);
        }
        catch (IOException)
        {
            // A killed process's last write; the folder is temporary anyway.
        }
    }

    private IEnumerable<(AttemptFiles Files, AttemptSpec Spec)> Attempts()
    {
        foreach (string folder in Directory.EnumerateDirectories(Path.Combine(Data, "attempts")).Order(StringComparer.Ordinal))
        {
            var files = new AttemptFiles(folder);
            if (TryReadSpec(files.Spec) is { } spec)
            {
                yield return (files, spec);
            }
        }
    }

    /// <summary>Null for one that is not written, or was being written when its server was killed.</summary>
    private static AttemptSpec? TryReadSpec(string path)
    {
        try
        {
            return AttemptSpec.Read(File.ReadAllBytes(path));
        }
        catch (Exception e) when (e is IOException or AttemptFormatException)
        {
            return null;
        }
    }

    private void ThrowIfDead()
    {
        if (HasDied)
        {
            throw new ServerDiedException(
                $"The server ended with {Process.ExitCode.ToString(CultureInfo.InvariantCulture)}. It said:\n{Log}"
            );
        }
    }

    private string? AnnouncedUrl()
    {
        try
        {
            using var record = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(SeenData, "server.json")));
            return record.RootElement.GetProperty("pid").GetInt32() == Process.Id
                ? record.RootElement.GetProperty("url").GetString()
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>The server's process ended when it should not have, or sooner than it should have.</summary>
internal sealed class ServerDiedException(string message) : Exception(message);
