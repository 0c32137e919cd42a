using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Link;

namespace Holdfast.Supervisor.Kernels;

/// <summary>The requests that only a kernel takes: each is checked against where the kernel stands, answered, and then done.</summary>
internal sealed class KernelRequests(KernelWork work, KernelConversation conversation)
{
    private const int MessageIdCharactersMax = 256;

    /// <summary>False for a request that is none of these.</summary>
    public bool TryHandle(LinkRequest request)
    {
        switch (request.Type)
        {
            case LinkMessageType.Execute:
                Execute(request);
                return true;
            case LinkMessageType.Send:
                Send(request);
                return true;
            case LinkMessageType.Dequeue:
                conversation.Dequeue(request.Message.MessageId, request.Message.Group, request.Message.End);
                request.Done();
                return true;
            case LinkMessageType.Interrupt:
                Interrupt(request);
                return true;
            case LinkMessageType.Release:
                Release(request);
                return true;
            case LinkMessageType.Pause or LinkMessageType.Resume:
                request.Refuse(LinkCodes.NotSupported, "A kernel is not paused: interrupt it, or let it be.");
                return true;
            default:
                return false;
        }
    }

    private void Execute(LinkRequest request)
    {
        LinkMessage message = request.Message;
        if (work.Now is not (AttemptPhase.Starting or AttemptPhase.Running) || work.IsStopping)
        {
            request.Refuse(LinkCodes.NotRunning, "The kernel has ended or is being ended.");
            return;
        }

        byte[] body = message.Body.ToArray();
        JupyterHeader? header = JupyterMessage.TryParseUnsigned(body)?.Header;
        if (header is null || !IsPlain(header.MessageId) || (message.MessageId ?? header.MessageId) != header.MessageId)
        {
            request.Refuse(
                LinkCodes.MessageInvalid,
                "The body is no multipart of header, parent, metadata and content, or its msg_id is not the messageId given, or not plain ASCII."
            );
            return;
        }

        var execute = new QueuedExecute(header.MessageId, message.Group, message.StopOnError, body, message.After);
        if (conversation.Offer(execute, message.Position) == ExecuteAnswer.Full)
        {
            request.Refuse(
                LinkCodes.QueueFull,
                $"The kernel's queue holds {ExecuteQueue.RequestsMax} requests, or as many bytes as it may."
            );
            return;
        }

        request.Done();
    }

    private void Send(LinkRequest request)
    {
        KernelChannel? channel = request.Message.Channel switch
        {
            "shell" => KernelChannel.Shell,
            "control" => KernelChannel.Control,
            "stdin" => KernelChannel.Stdin,
            _ => null,
        };
        byte[] body = request.Message.Body.ToArray();
        if (channel is null || JupyterMessage.TryParseUnsigned(body) is null)
        {
            request.Refuse(
                LinkCodes.MessageInvalid,
                "The channel is not shell, control or stdin, or the body is no multipart of header, parent, metadata and content."
            );
        }
        else if (work.Now != AttemptPhase.Running)
        {
            request.Refuse(LinkCodes.NotRunning, "The kernel does not run.");
        }
        else if (channel == KernelChannel.Stdin && !conversation.WantsInput)
        {
            request.Refuse(
                LinkCodes.InputNotRequested,
                "The kernel asks for no input now: somebody has answered it, or it was interrupted."
            );
        }
        else
        {
            conversation.Send(channel.Value, body);
            work.Link?.TellGrowthLater(); // The kernel wants the processor now.
            request.Done();
        }
    }

    private void Interrupt(LinkRequest request)
    {
        if (work.Now != AttemptPhase.Running || !conversation.IsReady)
        {
            // Before it has set up its handler, a SIGINT would end it.
            request.Refuse(LinkCodes.NotRunning, "The kernel does not run, or is not ready yet.");
            return;
        }

        bool isDue = request.Message.MessageId is { } messageId ? conversation.WantsInterrupt(messageId) : conversation.WantsInterrupt();
        if (!isDue)
        {
            request.Done(); // It is over, or its turn comes: then it is interrupted, and nothing else is.
            return;
        }

        if (!work.TryInterrupt())
        {
            request.Refuse(LinkCodes.NotRunning, "The kernel does not run.");
            return;
        }

        request.Done();
    }

    private void Release(LinkRequest request)
    {
        if (work.Now != AttemptPhase.Ended)
        {
            request.Refuse(LinkCodes.NotIdle, "The kernel has not ended, or its exit record is not durable yet.");
            return;
        }

        request.Done();
        work.Leave();
    }

    /// <summary>True for an id that a kernel's JSON writes back byte for byte, by which its replies are known.</summary>
    private static bool IsPlain(string messageId)
    {
        foreach (char c in messageId)
        {
            if (c is < ' ' or > '~' or '"' or '\\' or '/' or '<' or '>' or '&' or '\'' or '+')
            {
                return false;
            }
        }

        return messageId.Length is > 0 and <= MessageIdCharactersMax;
    }
}
