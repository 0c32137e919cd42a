using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// What is asked of a live kernel's supervisor, over whatever link there is to it now; one that does not answer in time is refused as
/// unreachable.
/// </summary>
internal sealed class KernelLink(KernelId kernel, LiveAttempt live, TimeProvider time)
{
    /// <summary>For the link to be there, and again for the answer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public async Task<LinkMessage> AskAsync(LinkMessage request, bool goesOnInline, CancellationToken cancellationToken)
    {
        try
        {
            SupervisorLink link = await live.Link.WaitAsync(Patience, time, cancellationToken);
            return await link.RequestAsync(request with { Attempt = live.Id.Value }, cancellationToken, goesOnInline)
                .WaitAsync(Patience, time, cancellationToken);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            throw new RefusedException(
                ErrorCodes.SupervisorUnreachable,
                $"The supervisor of kernel {kernel} does not answer now ({e.Message}). The kernel is not harmed; try again."
            );
        }
    }

    public async Task SendAsync(KernelChannel channel, ReadOnlyMemory<byte> unsignedMultipart, CancellationToken cancellationToken)
    {
        string name = channel switch
        {
            KernelChannel.Shell => "shell",
            KernelChannel.Control => "control",
            KernelChannel.Stdin => "stdin",
            _ => throw new ArgumentOutOfRangeException(nameof(channel)),
        };
        try
        {
            await AskAsync(
                new LinkMessage
                {
                    Type = LinkMessageType.Send,
                    Channel = name,
                    Body = unsignedMultipart,
                },
                goesOnInline: true,
                cancellationToken
            );
        }
        catch (LinkRefusedException e)
        {
            throw new RefusedException(
                e.Code switch
                {
                    LinkCodes.NotRunning => ErrorCodes.KernelNotRunning,
                    LinkCodes.InputNotRequested => ErrorCodes.InputNotRequested,
                    LinkCodes.MessageInvalid => ErrorCodes.InvalidRequest,
                    _ => ErrorCodes.InternalError,
                },
                e.Message
            );
        }
    }

    /// <summary>Interrupts a request that has begun though it was cancelled. One that is not heard can be cancelled again.</summary>
    public async Task InterruptCancelledAsync(string messageId)
    {
        try
        {
            await AskAsync(
                new LinkMessage { Type = LinkMessageType.Interrupt, MessageId = messageId },
                goesOnInline: false,
                CancellationToken.None
            );
        }
        catch (Exception e) when (e is RefusedException or LinkRefusedException)
        {
            // It has ended, or is out of reach.
        }
    }
}
