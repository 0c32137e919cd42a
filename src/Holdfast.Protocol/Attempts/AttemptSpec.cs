using Holdfast.Protocol.Json;

namespace Holdfast.Protocol.Attempts;

/// <summary>
/// spec.json: everything a supervisor needs to start one attempt, written by the server before it spawns or assigns. Fields that belong to
/// the other kind are absent. The child has of its supervisor's environment what <see cref="Inherit"/> names, and nothing else.
/// </summary>
public sealed record AttemptSpec
{
    public const int VersionNow = 2;

    /// <summary>Written where nothing of version 2 is in it, so that a supervisor of the version before takes it.</summary>
    private const int VersionWithoutInherit = 1;
    public const string KindJob = "job";
    public const string KindKernel = "kernel";
    public const string InputNull = "null";
    public const string InputPipe = "pipe";

    public required string Attempt { get; init; }

    /// <summary><see cref="KindJob"/> or <see cref="KindKernel"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Hex; whoever says hello to the supervisor must know it.</summary>
    public required string Nonce { get; init; }

    /// <summary>
    /// Where a fresh supervisor listens, at most 107 bytes. A warm one keeps the socket it has and names it in supervisor.json.
    /// </summary>
    public string? Socket { get; init; }

    public long Fence { get; init; }
    public required string[] Argv { get; init; }
    public string? Cwd { get; init; }

    /// <summary>As <c>NAME=value</c>; an object of texts in the file.</summary>
    public string[] Environment { get; init; } = [];

    /// <summary>
    /// Names of variables whose values are not in the file: the supervisor has them in its own environment, as the server that started it
    /// had. So a secret that a server was started with is on no disk.
    /// </summary>
    public string[] Inherit { get; init; } = [];

    public long GraceMs { get; init; }

    /// <summary>What its processes may use together; 0 for no limit.</summary>
    public long MemoryBytesMax { get; init; }

    /// <summary>How much of processors its processes may use together, in thousandths of one; 0 for no limit.</summary>
    public long CpuMillisMax { get; init; }

    // Jobs.

    /// <summary><see cref="InputNull"/> or <see cref="InputPipe"/>.</summary>
    public string StandardInput { get; init; } = InputNull;

    /// <summary>
    /// Given to the child first. With <see cref="InputNull"/> its standard input ends after them, with <see cref="InputPipe"/> it stays
    /// open.
    /// </summary>
    public byte[]? StandardInputBytes { get; init; }

    /// <summary>0 for none. Time spent paused does not count.</summary>
    public long TimeoutMs { get; init; }

    /// <summary>
    /// The child runs on a terminal of its own, which is its standard input, output and error; <see cref="StandardInput"/> is then of no
    /// account.
    /// </summary>
    public bool Pty { get; init; }

    /// <summary>The terminal's first size; 0 for the usual 24 by 80.</summary>
    public int Rows { get; init; }

    public int Columns { get; init; }

    // Kernels.

    /// <summary>"ipc" or "tcp".</summary>
    public string? Transport { get; init; }

    /// <summary>"signal" or "message".</summary>
    public string? InterruptMode { get; init; }

    public string? Username { get; init; }

    /// <summary>Our ZMQ identity towards the kernel and the session of the headers we write.</summary>
    public string? SessionId { get; init; }

    /// <summary>HMAC key in hex.</summary>
    public string? Key { get; init; }

    public long StartTimeoutMs { get; init; }

    public byte[] Write() =>
        AttemptJson.Write(writer =>
        {
            writer.WriteNumber("version", Inherit.Length > 0 ? VersionNow : VersionWithoutInherit);
            writer.WriteString("attempt", Attempt);
            writer.WriteString("kind", Kind);
            writer.WriteString("nonce", Nonce);
            AttemptJson.WriteText(writer, "socket", Socket);
            writer.WriteNumber("fence", Fence);
            AttemptJson.WriteTexts(writer, "argv", Argv);
            AttemptJson.WriteText(writer, "cwd", Cwd);
            AttemptJson.WriteVariables(writer, "env", Environment);
            if (Inherit.Length > 0)
            {
                AttemptJson.WriteTexts(writer, "inherit", Inherit);
            }

            AttemptJson.WriteNumber(writer, "graceMs", GraceMs);
            AttemptJson.WriteNumber(writer, "memoryBytesMax", MemoryBytesMax);
            AttemptJson.WriteNumber(writer, "cpuMillisMax", CpuMillisMax);
            if (Kind == KindJob)
            {
                writer.WriteString("stdin", StandardInput);
                if (StandardInputBytes is not null)
                {
                    writer.WriteBase64String("stdinBase64", StandardInputBytes);
                }

                AttemptJson.WriteNumber(writer, "timeoutMs", TimeoutMs);
                AttemptJson.WriteFlag(writer, "pty", Pty);
                AttemptJson.WriteNumber(writer, "rows", Rows);
                AttemptJson.WriteNumber(writer, "columns", Columns);
            }

            AttemptJson.WriteText(writer, "transport", Transport);
            AttemptJson.WriteText(writer, "interruptMode", InterruptMode);
            AttemptJson.WriteText(writer, "username", Username);
            AttemptJson.WriteText(writer, "sessionId", SessionId);
            AttemptJson.WriteText(writer, "key", Key);
            AttemptJson.WriteNumber(writer, "startTimeoutMs", StartTimeoutMs);
        });

    /// <summary>
    /// Reads a spec; throws <see cref="AttemptFormatException"/> for malformed JSON, a missing field or a version newer than ours.
    /// </summary>
    public static AttemptSpec Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return ReadFields(json);
        }
        catch (Exception e) when (AttemptJson.IsMalformed(e))
        {
            throw new AttemptFormatException($"spec.json is not valid: {e.Message}");
        }
    }

    private static AttemptSpec ReadFields(ReadOnlySpan<byte> json)
    {
        var reader = new PlainJsonReader(json);
        int version = 0;
        long fence = 0,
            graceMs = 0,
            timeoutMs = 0,
            startTimeoutMs = 0,
            memoryBytesMax = 0,
            cpuMillisMax = 0;
        string? attempt = null,
            kind = null,
            nonce = null,
            socket = null,
            cwd = null,
            transport = null,
            interruptMode = null;
        string? username = null,
            sessionId = null,
            key = null;
        string input = InputNull;
        string[]? argv = null;
        string[] environment = [];
        string[] inherit = [];
        byte[]? inputBytes = null;
        bool pty = false;
        int rows = 0,
            columns = 0;

        AttemptJson.Begin(ref reader);
        while (AttemptJson.NextName(ref reader))
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "version":
                    version = reader.GetInt32();
                    break;
                case "attempt":
                    attempt = reader.GetString();
                    break;
                case "kind":
                    kind = reader.GetString();
                    break;
                case "nonce":
                    nonce = reader.GetString();
                    break;
                case "socket":
                    socket = reader.GetString();
                    break;
                case "fence":
                    fence = reader.GetInt64();
                    break;
                case "argv":
                    argv = AttemptJson.Texts(ref reader);
                    break;
                case "cwd":
                    cwd = reader.GetString();
                    break;
                case "env":
                    environment = AttemptJson.Variables(ref reader);
                    break;
                case "inherit":
                    inherit = AttemptJson.Texts(ref reader);
                    break;
                case "graceMs":
                    graceMs = reader.GetInt64();
                    break;
                case "memoryBytesMax":
                    memoryBytesMax = reader.GetInt64();
                    break;
                case "cpuMillisMax":
                    cpuMillisMax = reader.GetInt64();
                    break;
                case "stdin":
                    input = reader.GetString() ?? InputNull;
                    break;
                case "stdinBase64":
                    inputBytes = reader.GetBytesFromBase64();
                    break;
                case "timeoutMs":
                    timeoutMs = reader.GetInt64();
                    break;
                case "pty":
                    pty = reader.GetBoolean();
                    break;
                case "rows":
                    rows = reader.GetInt32();
                    break;
                case "columns":
                    columns = reader.GetInt32();
                    break;
                case "transport":
                    transport = reader.GetString();
                    break;
                case "interruptMode":
                    interruptMode = reader.GetString();
                    break;
                case "username":
                    username = reader.GetString();
                    break;
                case "sessionId":
                    sessionId = reader.GetString();
                    break;
                case "key":
                    key = reader.GetString();
                    break;
                case "startTimeoutMs":
                    startTimeoutMs = reader.GetInt64();
                    break;
                default:
                    reader.Skip();
                    break;
            }
        }

        if (version is < 1 or > VersionNow)
        {
            throw new AttemptFormatException($"spec.json has version {version}; this supervisor reads versions 1 to {VersionNow}.");
        }

        if (
            attempt is null
            || nonce is null
            || argv is null
            || argv.Length == 0
            || kind is not (KindJob or KindKernel)
            || input is not (InputNull or InputPipe)
        )
        {
            throw new AttemptFormatException("spec.json lacks attempt, nonce or argv, or has a kind or stdin that is not known.");
        }

        return new AttemptSpec
        {
            Attempt = attempt,
            Kind = kind,
            Nonce = nonce,
            Socket = socket,
            Fence = fence,
            Argv = argv,
            Cwd = cwd,
            Environment = environment,
            Inherit = inherit,
            GraceMs = graceMs,
            MemoryBytesMax = memoryBytesMax,
            CpuMillisMax = cpuMillisMax,
            StandardInput = input,
            StandardInputBytes = inputBytes,
            TimeoutMs = timeoutMs,
            Pty = pty,
            Rows = rows,
            Columns = columns,
            Transport = transport,
            InterruptMode = interruptMode,
            Username = username,
            SessionId = sessionId,
            Key = key,
            StartTimeoutMs = startTimeoutMs,
        };
    }
}
