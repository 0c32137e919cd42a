using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// The messages that the supervisor itself makes, unsigned: its requests to the kernel, and a reply in the kernel's place. Each has an id
/// of its own.
/// </summary>
internal sealed class SupervisorMessages(PollLoop loop, AttemptSpec spec)
{
    private int _count;

    public string SessionId => spec.SessionId ?? spec.Attempt;

    public byte[] Request(string messageType, byte[] content) => JupyterEnvelope.Build(NewHeader(messageType, SessionId), content);

    /// <param name="kernelSession">The session in whose name it replies.</param>
    /// <param name="requestHeader">The header of the request that gets the reply.</param>
    public byte[] Reply(string messageType, ReadOnlySpan<byte> content, ReadOnlySpan<byte> kernelSession, byte[] requestHeader) =>
        JupyterEnvelope.Build(NewHeader(messageType, Encoding.UTF8.GetString(kernelSession)), content.ToArray(), parent: requestHeader);

    private JupyterHeader NewHeader(string messageType, string session)
    {
        _count++;
        DateTimeOffset now = DateTimeOffset.UnixEpoch.AddTicks(loop.UnixNanoseconds / 100);
        return JupyterHeader.Create(messageType, SupervisorRequest.Id(SessionId, _count), session, spec.Username ?? "", now);
    }
}
