using Holdfast.Protocol.Link;

namespace Holdfast.Supervisor.Link;

/// <summary>A request and the way back to whoever sent it; answered exactly once. An answer to a peer that has gone is dropped.</summary>
internal sealed class LinkRequest(LinkConnection connection, LinkMessage message)
{
    public LinkConnection Connection { get; } = connection;

    /// <summary>Its body lies in the connection's buffer: copy what must outlive the call that brought it.</summary>
    public LinkMessage Message { get; } = message;

    public LinkMessageType Type => Message.Type;

    public void Done() => Connection.Send(new LinkMessage { Type = LinkMessageType.Done, Id = Message.Id });

    public void Refuse(string code, string reason) =>
        Connection.Send(
            new LinkMessage
            {
                Type = LinkMessageType.Refused,
                Id = Message.Id,
                Code = code,
                Reason = reason,
            }
        );
}
