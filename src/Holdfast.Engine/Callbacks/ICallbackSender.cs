namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Makes one attempt: over the network, or by a command. What went wrong is an answer, not an exception; only the stop of the server is
/// one.
/// </summary>
public interface ICallbackSender
{
    Task<CallbackAnswer> SendAsync(Callback callback, CancellationToken cancellationToken);
}
