using System.Diagnostics;
using System.Globalization;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;

namespace Holdfast.SystemTests.Kernels;

/// <summary>A kernel under the real supervisor binary, in a folder of its own, with a link to it and its journal at hand.</summary>
internal sealed class SupervisedKernel : IDisposable
{
    public const string Nonce = "00112233445566778899aabbccddeeff";
    private readonly DirectoryInfo _folder;
    private readonly Process _supervisor;
    private int _count;

    private SupervisedKernel(DirectoryInfo folder, AttemptSpec spec, bool isOnSmallDisk)
    {
        _folder = folder;
        string attempt = Directory.CreateDirectory(Path.Combine(folder.FullName, "attempt")).FullName;
        Spec = spec;
        File.WriteAllBytes(new AttemptFiles(attempt).Spec, spec.Write());
        _supervisor = isOnSmallDisk ? StartOnSmallDisk(attempt) : Process.Start(SupervisorPath, ["run", attempt]);
        Link = Connect();
        Files = new AttemptFiles(
            isOnSmallDisk ? string.Create(CultureInfo.InvariantCulture, $"/proc/{_supervisor.Id}/root{attempt}") : attempt
        );
        Tape = new JournalTape(Files.Journal);
        Link.Ask(new LinkMessage { Type = LinkMessageType.Watch });
    }

    public static string SupervisorPath
    {
        get
        {
            string configuration = Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));
            return Environment.GetEnvironmentVariable("HOLDFAST_SUPERVISOR")
                ?? Path.GetFullPath(
                    Path.Combine(AppContext.BaseDirectory, "../../Holdfast.Supervisor", configuration, "holdfast-supervisor")
                );
        }
    }

    public AttemptFiles Files { get; }
    public AttemptSpec Spec { get; }
    public JournalTape Tape { get; }
    public LinkClient Link { get; private set; }
    public int SupervisorPid => _supervisor.Id;
    public int KernelPid { get; private set; }

    /// <summary>The real ipykernel of this machine.</summary>
    public static SupervisedKernel Python(string transport = "ipc", string interruptMode = "signal")
    {
        KernelSpec kernel =
            KernelSpecSearch.Search(["/usr/local/share/jupyter/kernels", "/usr/share/jupyter/kernels"]).Find("python3")
            ?? throw new InvalidOperationException("These tests need python3-ipykernel.");
        return Start(kernel.ResolveArgv(), transport, interruptMode);
    }

    /// <summary>The scripted kernel; see testkernel.py for what it obeys.</summary>
    public static SupervisedKernel Scripted(
        string behaviour = "",
        long startTimeoutMs = 60_000,
        long graceMs = 2_000,
        bool isOnSmallDisk = false
    )
    {
        string script = Path.Combine(AppContext.BaseDirectory, "testkernel.py");
        return Start(
            ["/usr/bin/python3", script, "-f", "{connection_file}"],
            "ipc",
            "signal",
            behaviour,
            startTimeoutMs,
            graceMs,
            isOnSmallDisk
        );
    }

    public SupervisedKernel WaitUntilReady()
    {
        KernelPid = Link.WaitFor(LinkMessageType.Started).Pid;
        Link.WaitFor(LinkMessageType.Ready);
        return this;
    }

    public void Reconnect()
    {
        Link.Dispose();
        Link = Connect();
        Link.Ask(new LinkMessage { Type = LinkMessageType.Watch });
    }

    /// <summary>Queues a cell; its message id.</summary>
    public string Execute(string code, string? group = null, bool stopOnError = false, string? messageId = null, long position = 0)
    {
        messageId ??= "cell-" + (++_count).ToString(CultureInfo.InvariantCulture);
        Link.Ask(ExecuteRequest(messageId, code, group, stopOnError, position));
        return messageId;
    }

    public LinkMessage ExecuteRequest(string messageId, string code, string? group = null, bool stopOnError = false, long position = 0) =>
        new()
        {
            Type = LinkMessageType.Execute,
            MessageId = messageId,
            Group = group,
            StopOnError = stopOnError,
            Position = position,
            Body = JupyterEnvelope.Build(Header("execute_request", messageId), JupyterEnvelope.ExecuteContent(code, allowStdin: true)),
        };

    /// <summary>Answers the kernel's input_request; the supervisor's answer.</summary>
    public LinkMessage Input(string value) =>
        Link.Send(
            new LinkMessage
            {
                Type = LinkMessageType.Send,
                Channel = "stdin",
                Body = JupyterEnvelope.Build(
                    Header("input_reply", "input-" + (++_count).ToString(CultureInfo.InvariantCulture)),
                    JupyterEnvelope.InputContent(value)
                ),
            }
        );

    /// <summary>Runs a cell and waits for its reply and idle; its reply's status.</summary>
    public string? Run(string code) => WaitForOutcome(Execute(code));

    /// <summary>Waits until the journal holds reply and idle of a request; the reply's status.</summary>
    public string? WaitForOutcome(string messageId)
    {
        WaitForTape(() => HasIdle(messageId) && Reply(messageId) is not null);
        return Reply(messageId)!.ReplyStatus;
    }

    /// <summary>Waits, from notice to notice of growth, until the tape satisfies.</summary>
    public void WaitForTape(Func<bool> condition)
    {
        Tape.Read();
        while (!condition())
        {
            LinkMessage notice = Link.Next();
            Tape.Read();
            if (notice.Type == LinkMessageType.Exited)
            {
                Assert.True(condition(), $"The kernel ended: {notice.Reason}");
            }
        }
    }

    /// <summary>Waits without a link, looking at the journal's files alone.</summary>
    public void WaitForFile(Func<bool> condition)
    {
        long start = TimeProvider.System.GetTimestamp();
        Tape.Read();
        while (!condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < LinkClient.Patience, "The journal does not say what was waited for.");
            Assert.False(_supervisor.WaitForExit(20));
            Tape.Read();
        }
    }

    /// <summary>Waits until the kernel's process is gone, whatever its supervisor says.</summary>
    public void WaitUntilGone()
    {
        long start = TimeProvider.System.GetTimestamp();
        while (Holdfast.Protocol.Processes.ProcessStat.Of(KernelPid) is not null)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(start) < LinkClient.Patience, "The kernel lives on.");
            Assert.False(_supervisor.WaitForExit(20));
        }
    }

    public LinkMessage WaitForExit() => Link.WaitFor(LinkMessageType.Exited);

    public bool HasIdle(string messageId) =>
        Of(JournalChannel.IoPub, messageId).Any(static m => m.MessageType == "status" && m.ExecutionState == "idle");

    public JupyterMessage? Reply(string messageId) => Of(JournalChannel.Shell, messageId).FirstOrDefault();

    public IEnumerable<JupyterMessage> Of(JournalChannel channel, string messageId) =>
        Tape.Entries.Where(e => e.Channel == channel && e.Message!.ParentMessageId == messageId).Select(static e => e.Message!);

    /// <summary>All stream text of a request.</summary>
    public string Stream(string messageId) =>
        string.Concat(
            Of(JournalChannel.IoPub, messageId)
                .Where(static m => m.MessageType == "stream")
                .Select(static m => JupyterJson.GetText(m.Content.Span, "text"u8))
        );

    public long MemoryKb(string field)
    {
        string line = File.ReadLines($"/proc/{SupervisorPid}/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(new string(line.Where(char.IsAsciiDigit).ToArray()), CultureInfo.InvariantCulture);
    }

    public void Dispose()
    {
        try
        {
            _ = Link.Send(
                new LinkMessage
                {
                    Type = LinkMessageType.Stop,
                    GraceMs = 1,
                    Cause = "test",
                }
            );
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            // It has ended already.
        }

        Link.Dispose();
        if (!_supervisor.WaitForExit(LinkClient.Patience))
        {
            _supervisor.Kill(entireProcessTree: true);
        }

        string log = File.Exists(Files.Log) ? File.ReadAllText(Files.Log) : "";
        _supervisor.Dispose();
        Tape.Dispose();
        _folder.Delete(recursive: true);
        Assert.DoesNotContain("Exception", log, StringComparison.Ordinal);
    }

    private static SupervisedKernel Start(
        string[] argv,
        string transport,
        string interruptMode,
        string behaviour = "",
        long startTimeoutMs = 60_000,
        long graceMs = 2_000,
        bool isOnSmallDisk = false
    )
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("holdfast-");
        return new SupervisedKernel(
            folder,
            new AttemptSpec
            {
                Attempt = "kernel-under-test",
                Kind = AttemptSpec.KindKernel,
                Nonce = Nonce,
                Socket = Path.Combine(folder.FullName, "s.sock"),
                Fence = 1,
                Argv = argv,
                Cwd = folder.FullName,
                GraceMs = graceMs,
                Transport = transport,
                InterruptMode = interruptMode,
                Username = "ann",
                SessionId = "session-under-test",
                Key = "8c5d1f0a",
                StartTimeoutMs = startTimeoutMs,
                Environment =
                [
                    "PATH=/usr/bin:/bin",
                    "HOME=" + folder.FullName,
                    "LANG=C.UTF-8",
                    "JPY_PARENT_PID=1234567",
                    "HOLDFAST_TEST_KERNEL=" + behaviour,
                ],
            },
            isOnSmallDisk
        );
    }

    /// <summary>Six megabytes in a mount namespace of the supervisor's own, five of them taken by a file named filler.</summary>
    private static Process StartOnSmallDisk(string attempt)
    {
        using Process probe = Process.Start("unshare", ["-rm", "sh", "-c", "mount -t tmpfs none /mnt 2>/dev/null"]);
        probe.WaitForExit();
        Assert.SkipUnless(
            probe.ExitCode == 0,
            "This system lets us make no mount namespace of our own, so there is no small disk to fill."
        );
        string script =
            $"cp {attempt}/spec.json {attempt}.spec && mount -t tmpfs -o size=6m none {attempt} && cp {attempt}.spec {attempt}/spec.json"
            + $" && dd if=/dev/zero of={attempt}/filler bs=1M count=5 2>/dev/null && exec {SupervisorPath} run {attempt}";
        return Process.Start("unshare", ["-rm", "sh", "-c", script]);
    }

    private JupyterHeader Header(string type, string messageId) =>
        JupyterHeader.Create(type, messageId, Spec.SessionId!, Spec.Username!, TimeProvider.System.GetUtcNow());

    private LinkClient Connect()
    {
        long start = TimeProvider.System.GetTimestamp();
        while (TimeProvider.System.GetElapsedTime(start) < LinkClient.Patience)
        {
            if (LinkClient.TryConnect(Spec.Socket!, Nonce) is { } client)
            {
                return client;
            }

            if (_supervisor.WaitForExit(5))
            {
                break;
            }
        }

        string log = Path.Combine(_folder.FullName, "attempt", "supervisor.log");
        throw new InvalidOperationException("The supervisor does not listen. " + (File.Exists(log) ? File.ReadAllText(log) : ""));
    }
}
