using Holdfast.Protocol.Json;

namespace Holdfast.Protocol.Attempts;

/// <summary>
/// One record of the journal's Event channel: what happened to the attempt, between the bytes it said. Which fields apply is said at the
/// name. Readers skip events and fields they do not know.
/// </summary>
public sealed record AttemptEvent
{
    /// <summary>attempt, argv. The first record, synced before the child is launched.</summary>
    public const string Start = "start";

    /// <summary>pid, startTicks.</summary>
    public const string Started = "started";

    /// <summary>Kernels: kernel_info answered and IOPub live.</summary>
    public const string Ready = "ready";

    public const string Paused = "paused";
    public const string Resumed = "resumed";

    /// <summary>cause: somebody asked for the end, or the time was up.</summary>
    public const string Stop = "stop";

    /// <summary>reason, at (when it began: the record itself could only be written when it was over).</summary>
    public const string Stalled = "stalled";

    public const string Unstalled = "unstalled";

    /// <summary>channel, reason: something said on the channel may be missing here.</summary>
    public const string Gap = "gap";

    /// <summary>
    /// messageId, reason: a queued request that will not be sent. upstream: the message id of the request that it needed and that did not
    /// end well.
    /// </summary>
    public const string Skipped = "skipped";

    /// <summary>
    /// channel, reason: something came on a kernel's socket that was not signed with its key. It is not among the messages.
    /// </summary>
    public const string BadSignature = "badSignature";

    /// <summary>alive.</summary>
    public const string Heartbeat = "heartbeat";

    /// <summary>The last record: the fields of <see cref="ExitRecord"/>.</summary>
    public const string ExitEvent = "exit";

    public required string Event { get; init; }
    public string? Attempt { get; init; }
    public string[]? Argv { get; init; }
    public int Pid { get; init; }
    public long StartTicks { get; init; }
    public string? Cause { get; init; }
    public string? Reason { get; init; }
    public string? Channel { get; init; }
    public string? MessageId { get; init; }
    public string? Upstream { get; init; }
    public bool? Alive { get; init; }
    public long AtUnixNanoseconds { get; init; }

    /// <summary>Set for <see cref="ExitEvent"/> only.</summary>
    public ExitRecord? Exit { get; init; }

    public byte[] Write() => AttemptJson.Write(WriteFields, endsLine: false);

    /// <summary>Throws <see cref="AttemptFormatException"/> when it is not an event.</summary>
    public static AttemptEvent Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return ReadFields(json);
        }
        catch (Exception e) when (AttemptJson.IsMalformed(e))
        {
            throw new AttemptFormatException($"An event of the journal is not valid: {e.Message}");
        }
    }

    private void WriteFields(PlainJsonWriter writer)
    {
        writer.WriteString("event", Event);
        if (Exit is not null)
        {
            Exit.WriteFields(writer);
            return;
        }

        AttemptJson.WriteText(writer, "attempt", Attempt);
        AttemptJson.WriteTexts(writer, "argv", Argv);
        AttemptJson.WriteNumber(writer, "pid", Pid);
        AttemptJson.WriteNumber(writer, "startTicks", StartTicks);
        AttemptJson.WriteText(writer, "cause", Cause);
        AttemptJson.WriteText(writer, "reason", Reason);
        AttemptJson.WriteText(writer, "channel", Channel);
        AttemptJson.WriteText(writer, "messageId", MessageId);
        AttemptJson.WriteText(writer, "upstream", Upstream);
        if (Alive is { } alive)
        {
            writer.WriteBoolean("alive", alive);
        }

        AttemptJson.WriteNumber(writer, "at", AtUnixNanoseconds);
    }

    private static AttemptEvent ReadFields(ReadOnlySpan<byte> json)
    {
        var reader = new PlainJsonReader(json);
        var exit = new ExitRecord.Fields();
        string? kind = null,
            attempt = null,
            cause = null,
            reason = null,
            channel = null,
            messageId = null,
            upstream = null;
        string[]? argv = null;
        int pid = 0;
        long startTicks = 0,
            at = 0;
        bool? alive = null;
        AttemptJson.Begin(ref reader);
        while (AttemptJson.NextName(ref reader))
        {
            string name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "event":
                    kind = reader.GetString();
                    break;
                case "attempt":
                    attempt = reader.GetString();
                    break;
                case "argv":
                    argv = AttemptJson.Texts(ref reader);
                    break;
                case "pid":
                    pid = reader.GetInt32();
                    break;
                case "startTicks":
                    startTicks = reader.GetInt64();
                    break;
                case "channel":
                    channel = reader.GetString();
                    break;
                case "messageId":
                    messageId = reader.GetString();
                    break;
                case "upstream":
                    upstream = reader.GetString();
                    break;
                case "alive":
                    alive = reader.GetBoolean();
                    break;
                default:
                    if (exit.TryTake(name, ref reader))
                    {
                        cause = exit.Cause;
                        reason = exit.Reason;
                        at = exit.AtUnixNanoseconds;
                    }
                    else
                    {
                        reader.Skip();
                    }

                    break;
            }
        }

        return new AttemptEvent
        {
            Event = kind ?? throw new AttemptFormatException("An event without a name."),
            Attempt = attempt,
            Argv = argv,
            Pid = pid,
            StartTicks = startTicks,
            Cause = cause,
            Reason = reason,
            Channel = channel,
            MessageId = messageId,
            Upstream = upstream,
            Alive = alive,
            AtUnixNanoseconds = at,
            Exit = kind == ExitEvent ? exit.ToRecord() : null,
        };
    }
}
