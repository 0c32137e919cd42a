using System.Net.Sockets;
using System.Reflection;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Reactive.Python;

/// <summary>
/// One Python that analyses cells: isolated from its user's environment and packages, with the script given on its command line, and one
/// socket as its standard input and output. It ends when the socket does, also when this server is killed.
/// </summary>
internal sealed class AnalyserProcess : IDisposable
{
    private const int UnixDomain = 1;
    private const int StreamCloseOnExec = 1 | Libc.OpenCloseOnExec;
    private const int Kill = 9;

    // One script in two parts; the second begins to serve.
    private static readonly string[] ScriptNames = ["cell_analyser.py", "cell_bindings.py"];
    private static readonly string Script = ReadScript();

    // -I: no environment, no user's packages, no current folder. -S: no packages at all, whose start-up files would be code of others.
    private static readonly string[] Options = ["-I", "-S", "-X", "utf8", "-c", Script];

    private readonly ProcessIdentity? _identity;
    private readonly NetworkStream _stream;
    private int _isDisposed;

    private AnalyserProcess(ProcessIdentity? identity, Socket socket)
    {
        _identity = identity;
        _stream = new NetworkStream(socket, ownsSocket: true);
        Lines = new StreamReader(_stream, leaveOpen: true);
    }

    public StreamReader Lines { get; }

    public Stream Input => _stream;

    /// <summary>How long it has had a processor; nothing when it is not there any more, which its end of the socket tells.</summary>
    public TimeSpan Worked =>
        _identity is { } identity && ProcessTreeReader.CpuSeconds(identity.Pid) is { } seconds
            ? TimeSpan.FromSeconds(seconds)
            : TimeSpan.Zero;

    /// <summary>Starts it; null when there is no such interpreter.</summary>
    public static unsafe AnalyserProcess? Start(string interpreter, Action childSpawned)
    {
        int* ends = stackalloc int[2];
        if (Libc.SocketPair(UnixDomain, StreamCloseOnExec, 0, ends) != 0)
        {
            throw Libc.Failure("socketpair", "for the analyser");
        }

        string path = System.Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        int pid = ChildProcess.Spawn(
            new ChildStart([interpreter, .. Options], [$"PATH={path}", "LC_ALL=C.UTF-8"], "/")
            {
                StandardInput = ends[1],
                StandardOutput = ends[1],
            }
        );
        _ = Libc.Close(ends[1]);
        if (pid < 0)
        {
            _ = Libc.Close(ends[0]);
            return null;
        }

        // Taken before anybody may reap it: only who is still that very process is ever killed.
        ProcessIdentity? identity = ProcessIdentity.Of(pid);
        childSpawned();
        return new AnalyserProcess(identity, new Socket(new SafeSocketHandle(ends[0], ownsHandle: true)));
    }

    /// <summary>Ends it at once: the end of its socket would do so too, unless it hangs.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
        {
            if (_identity is { } identity && identity.IsAlive())
            {
                _ = Libc.Kill(identity.Pid, Kill);
            }

            Lines.Dispose();
            _stream.Dispose();
        }
    }

    private static string ReadScript() =>
        string.Join(
            '\n',
            ScriptNames.Select(static name =>
            {
                using Stream script =
                    Assembly.GetExecutingAssembly().GetManifestResourceStream($"Holdfast.Engine.Reactive.Python.{name}")
                    ?? throw new InvalidOperationException($"The analyser's script {name} is not in the assembly.");
                using var reader = new StreamReader(script);
                return reader.ReadToEnd();
            })
        );
}
