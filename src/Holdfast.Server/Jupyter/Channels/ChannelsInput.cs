using Holdfast.Engine;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Protocol.Jupyter;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// One loop that takes what a client sends, one message after the other: the next is read when the supervisor has the one before, so that a
/// client is held up by its own kernel alone. What cannot be taken ends the connection with a close frame, and never more than it.
/// </summary>
internal sealed partial class ChannelsInput(
    KernelClient client,
    WebSocketInput input,
    IFraming framing,
    ChannelsOutput output,
    SendToKernel send,
    KernelClientComms comms,
    QuestionAgain? again,
    ILogger logger
)
{
    private readonly MessageShape _shape = new();
    private readonly CommAnswers _comms = new(comms, output.Messages);

    /// <summary>False while a message waits for its kernel: what the client says meanwhile, pongs among it, is not read.</summary>
    public bool IsReading { get; private set; } = true;

    /// <summary>Until the client is gone, or has said goodbye.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (await input.ReadAsync(cancellationToken) is { } kind)
            {
                switch (kind)
                {
                    case Opcode.Ping:
                        output.Say(WebSocketFrame.Control(Opcode.Pong, input.ControlPayload));
                        break;
                    case Opcode.Pong:
                        break;
                    case Opcode.Close:
                        client.HasSaidGoodbye = !output.IsClosing;
                        output.CloseAsAsked(Sane(input.ControlPayload));
                        return;
                    default:
                        IsReading = false;
                        await TakeAsync(kind, cancellationToken);
                        IsReading = true;
                        break;
                }
            }

            output.Stop();
        }
        catch (CloseException e)
        {
            Log.Refused(logger, client.Kernel.Value, e.Code, e.Message);
            output.Close(e.Code, e.Message);
        }
    }

    /// <summary>An echo of what the client gave, unless it may not be said on a wire.</summary>
    private static ReadOnlySpan<byte> Sane(ReadOnlySpan<byte> payload) =>
        payload.Length >= 2 && ((payload[0] << 8) | payload[1]) is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999)
            ? payload[..2]
            : [];

    private async ValueTask TakeAsync(Opcode kind, CancellationToken cancellationToken)
    {
        ClientRequest request = framing.Read(kind, input.Message);
        if (request.Channel is not { } channel)
        {
            Log.NoChannel(logger, client.Kernel.Value);
            return;
        }

        if (!_shape.TryReadUnsigned(request.Multipart))
        {
            throw new CloseException(CloseCode.InvalidPayload, "The message has no header.");
        }

        ReadOnlyMemory<byte> header = request.Multipart.AsMemory(_shape.HeaderAt, (int)_shape.Lengths[0]);
        if (
            !JupyterJson.TryGetRaw(header.Span, "msg_type"u8, out ReadOnlySpan<byte> type)
            || !JupyterJson.TryGetRaw(header.Span, "msg_id"u8, out _)
        )
        {
            throw new CloseException(CloseCode.InvalidPayload, "The header is no JSON object with msg_id and msg_type.");
        }

        again?.Hear(type);
        byte[] multipart = request.Multipart;
        if (JupyterJson.TryGetRaw(header.Span, "session"u8, out ReadOnlySpan<byte> session) && !session.IsEmpty)
        {
            client.AddName(session);
        }
        else
        {
            client.AddName(client.OwnName.Span);
            multipart = MissingSession.Fill(multipart, _shape, client.OwnName.Span);
            _ = _shape.TryReadUnsigned(multipart);
            header = multipart.AsMemory(_shape.HeaderAt, (int)_shape.Lengths[0]);
        }

        if (
            channel == KernelChannel.Shell
            && type.SequenceEqual("kernel_info_request"u8)
            && client.Live is { IsBusy: true, KernelInfoReply: { } known } live
        )
        {
            foreach (byte[] frame in output.Messages.KernelInfo(known, live.IncarnationSession ?? "", header.ToArray()))
            {
                output.Say(frame);
            }

            return;
        }

        if (channel == KernelChannel.Shell && CommAnswers.MayAnswer(type) && client.Live is { IsBusy: true } busy)
        {
            bool isList = type.SequenceEqual("comm_info_request"u8);
            if (await _comms.AnswerAsync(isList, header.ToArray(), Content(multipart), busy.IncarnationSession ?? "") is { } answer)
            {
                foreach (byte[] frame in answer)
                {
                    output.Say(frame);
                }

                return;
            }
        }

        await SendAsync(channel, multipart, cancellationToken);
    }

    private ReadOnlyMemory<byte> Content(byte[] multipart) =>
        multipart.AsMemory(_shape.HeaderAt + (int)(_shape.Lengths[0] + _shape.Lengths[1] + _shape.Lengths[2]), (int)_shape.Lengths[3]);

    private async ValueTask SendAsync(KernelChannel channel, byte[] multipart, CancellationToken cancellationToken)
    {
        try
        {
            await send.RunAsync(client.Kernel, channel, multipart, cancellationToken);
        }
        catch (RefusedException e) when (e.Code == ErrorCodes.SupervisorUnreachable)
        {
            throw new CloseException(CloseCode.InternalError, "The kernel is out of reach now; whether it got the message is not known.");
        }
        catch (RefusedException e)
        {
            // A second answer to one question, or a kernel that has ended: the client hears of either by other messages.
            Log.NotSent(logger, client.Kernel.Value, e.Code, e.Message);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(ServerEventIds.ChannelsRefused, LogLevel.Debug, "A client of kernel {KernelId} is closed with {Code}: {Reason}")]
        public static partial void Refused(ILogger logger, string kernelId, int code, string reason);

        [LoggerMessage(
            ServerEventIds.ChannelsNoChannel,
            LogLevel.Debug,
            "A client of kernel {KernelId} sent on a channel that is not a client's."
        )]
        public static partial void NoChannel(ILogger logger, string kernelId);

        [LoggerMessage(
            ServerEventIds.ChannelsNotSent,
            LogLevel.Debug,
            "A client's message did not reach kernel {KernelId}: {Code}. {Reason}"
        )]
        public static partial void NotSent(ILogger logger, string kernelId, string code, string reason);
    }
}
