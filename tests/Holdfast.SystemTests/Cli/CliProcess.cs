using System.Diagnostics;
using System.Text;
using Holdfast.Protocol.Processes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Cli;

/// <summary>One call of the published `holdfast`, with its streams read as they come.</summary>
internal sealed class CliProcess : IDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _written = new();
    private readonly Task<string> _output;
    private readonly Task<string> _error;

    private CliProcess(Process process)
    {
        _process = process;
        _output = ReadOutputAsync();
        _error = process.StandardError.ReadToEndAsync();
    }

    public static string Program => Path.Combine(Published.Release, "holdfast");

    public static CliProcess Start(string data, params string[] arguments) => StartProgram(data, Program, arguments);

    /// <summary>Another program, such as a shell that calls ours as $HOLDFAST.</summary>
    public static CliProcess StartProgram(string data, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        foreach (
            string name in (string[])["HOLDFAST_URL", "HOLDFAST_TOKEN", "HOLDFAST_CRASH_POINT", "HOLDFAST_CRASH_ONCE", "HOLDFAST_ATTEMPT"]
        )
        {
            start.Environment.Remove(name);
        }

        start.Environment["HOLDFAST_DATA"] = data;
        start.Environment["HOLDFAST"] = Program;
        start.Environment["PATH"] = "/usr/bin:" + Environment.GetEnvironmentVariable("PATH");
        return new CliProcess(Process.Start(start)!);
    }

    /// <summary>Runs it to its end; it must succeed.</summary>
    public static async Task<string> MustAsync(string data, params string[] arguments)
    {
        using CliProcess process = Start(data, arguments);
        (int exitCode, string output, string error) = await process.EndAsync();
        Assert.True(exitCode == 0, $"holdfast {string.Join(' ', arguments)} exited with {exitCode}: {error}");
        return output.TrimEnd('\n');
    }

    /// <summary>Waits until it has written this, which shows that it has spoken with its server.</summary>
    public Task HasWrittenAsync(string text) =>
        Patience.UntilAsync(
            () =>
            {
                lock (_written)
                {
                    return _written.ToString().Contains(text, StringComparison.Ordinal);
                }
            },
            $"holdfast wrote {text}"
        );

    public void Interrupt() => _ = Libc.Kill(_process.Id, Libc.SigInt);

    public async Task<(int ExitCode, string Output, string Error)> EndAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync().WaitAsync(Patience.Limit);
        return (_process.ExitCode, await _output, await _error);
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }

    private async Task<string> ReadOutputAsync()
    {
        char[] buffer = new char[4096];
        while (await _process.StandardOutput.ReadAsync(buffer) is int count and > 0)
        {
            lock (_written)
            {
                _ = _written.Append(buffer, 0, count);
            }
        }

        return _written.ToString();
    }
}
