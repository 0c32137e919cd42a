using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Clients;

/// <summary>
/// A client or a server of other people, in a session of its own; its lines are heard as they come, and it and its children end with the
/// test.
/// </summary>
internal sealed class OutsideProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task _output;
    private readonly Task _error;

    private OutsideProcess(Process process)
    {
        _process = process;
        _output = ReadAsync(process.StandardOutput, _lines.Writer);
        _error = ReadAsync(process.StandardError, null);
    }

    /// <summary>All that it has said yet, on both streams.</summary>
    public string Said
    {
        get
        {
            lock (_said)
            {
                return _said.ToString();
            }
        }
    }

    public bool HasEnded => _process.HasExited;

    public static OutsideProcess Start(string folder, IEnumerable<string> command, params (string Name, string Value)[] environment)
    {
        // Its own session, so that a browser's or a server's children can be ended with it.
        var start = new ProcessStartInfo("setsid")
        {
            UseShellExecute = false,
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in command)
        {
            start.ArgumentList.Add(argument);
        }

        // Nothing of the developer's own Jupyter, and no proxy.
        foreach (
            string name in start
                .Environment.Keys.Where(n =>
                    n.StartsWith("JUPYTER", StringComparison.Ordinal) || n.EndsWith("_proxy", StringComparison.OrdinalIgnoreCase)
                )
                .ToArray()
        )
        {
            start.Environment.Remove(name);
        }

        start.Environment["PATH"] = "/usr/bin:" + Environment.GetEnvironmentVariable("PATH");
        start.Environment["HOME"] = folder;
        start.Environment["JUPYTER_CONFIG_DIR"] = Path.Combine(folder, "config");
        start.Environment["JUPYTER_DATA_DIR"] = Path.Combine(folder, "share");
        start.Environment["JUPYTER_RUNTIME_DIR"] = Path.Combine(folder, "runtime");
        start.Environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1";
        foreach ((string name, string value) in environment)
        {
            start.Environment[name] = value;
        }

        return new OutsideProcess(Process.Start(start)!);
    }

    /// <summary>A script of ours in Node, against a server: SCRIPT URL TOKEN ARGUMENTS.</summary>
    public static OutsideProcess Node(string folder, string script, string url, string token, params string[] arguments) =>
        Start(folder, ["node", Outsiders.Script("node/" + script), url, token, .. arguments], ("NODE_PATH", Outsiders.RequireNode()));

    /// <summary>Its next line on standard output that begins so; null when it ended first.</summary>
    public async Task<string?> HearAsync(string beginning)
    {
        using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
        try
        {
            await foreach (string line in _lines.Reader.ReadAllAsync(limit.Token))
            {
                if (line.StartsWith(beginning, StringComparison.Ordinal))
                {
                    return line;
                }
            }

            return null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No line began with {beginning}. It said:\n{Said}");
        }
    }

    public async Task TellAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary>Waits for its end; it must succeed.</summary>
    public async Task MustSucceedAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience.Limit);
        await Task.WhenAll(_output, _error).WaitAsync(Patience.Limit);
        Assert.True(
            _process.ExitCode == 0,
            string.Create(CultureInfo.InvariantCulture, $"It exited with {_process.ExitCode} and said:\n{Said}")
        );
    }

    public async ValueTask DisposeAsync()
    {
        // Negative: the whole group of the session that it leads.
        _ = Libc.Kill(-_process.Id, Libc.SigKill);
        if (!_process.HasExited)
        {
            _ = Libc.Kill(_process.Id, Libc.SigKill); // It may not lead a session yet.
        }

        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader reader, ChannelWriter<string>? lines)
    {
        while (await reader.ReadLineAsync() is { } line)
        {
            lock (_said)
            {
                _said.AppendLine(line);
            }

            lines?.TryWrite(line);
        }

        lines?.TryComplete();
    }
}
