using Holdfast.Engine.Kernels.Clients;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// Puts a session into a header that has none: kernels copy it into their replies, and by it alone these find the client that asked.
/// </summary>
internal static class MissingSession
{
    /// <summary>The message with the session as its header's last member, which holds where a name stands twice.</summary>
    /// <param name="shape">The message's own.</param>
    public static byte[] Fill(byte[] multipart, MessageShape shape, ReadOnlySpan<byte> session)
    {
        var frames = new ReadOnlyMemory<byte>[shape.Count];
        int at = shape.HeaderAt;
        for (int i = 0; i < frames.Length; i++)
        {
            frames[i] = multipart.AsMemory(at, (int)shape.Lengths[i]);
            at += frames[i].Length;
        }

        ReadOnlySpan<byte> header = frames[0].Span;
        int end = header.LastIndexOf((byte)'}');
        if (end < 0)
        {
            throw new CloseException(CloseCode.InvalidPayload, "The header is no JSON object with msg_id and msg_type.");
        }

        frames[0] = (byte[])[.. header[..end], .. ",\"session\":\""u8, .. session, .. "\"}"u8];
        return Multipart.Encode(frames);
    }
}
