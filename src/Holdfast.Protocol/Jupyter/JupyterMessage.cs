namespace Holdfast.Protocol.Jupyter;

/// <summary>
/// A message as the journal keeps it: identities, <c>&lt;IDS|MSG&gt;</c>, signature, header, parent, metadata, content, buffers. All are
/// slices of the bytes given; only header and parent are read as JSON, and only when asked for. Says nothing about the signature's worth:
/// see <see cref="JupyterSigner"/>.
/// </summary>
public sealed class JupyterMessage
{
    private readonly ReadOnlyMemory<byte>[] _frames;
    private readonly int _first; // Index of the header frame.
    private JupyterHeader? _header;
    private JupyterHeader? _parent;
    private string? _messageType;
    private string? _messageId;
    private string? _parentMessageId;
    private string? _parentMessageType;

    private JupyterMessage(ReadOnlyMemory<byte>[] frames, int first)
    {
        _frames = frames;
        _first = first;
    }

    /// <summary>What stands between the routing identities and the message proper.</summary>
    public static ReadOnlySpan<byte> Delimiter => "<IDS|MSG>"u8;

    /// <summary>A received or sent message out of the journal; null when it is no whole multipart, has no delimiter, or has fewer than
    /// four frames after its signature.</summary>
    public static JupyterMessage? TryParse(ReadOnlyMemory<byte> multipart) =>
        Multipart.TryDecode(multipart, out ReadOnlyMemory<byte>[] frames) ? FromFrames(frames, framesMin: 6) : null;

    /// <summary>As <see cref="TryParse"/> from the first part of a large message: header and parent are there, the content may be missing
    /// and is then empty.</summary>
    public static JupyterMessage? TryParsePrefix(ReadOnlyMemory<byte> prefix) =>
        Multipart.TryDecodePrefix(prefix, out ReadOnlyMemory<byte>[] frames) ? FromFrames(frames, framesMin: 4) : null;

    /// <summary>A message as <see cref="JupyterEnvelope"/> builds it and the link carries it, with neither delimiter nor
    /// signature.</summary>
    public static JupyterMessage? TryParseUnsigned(ReadOnlyMemory<byte> multipart) =>
        Multipart.TryDecode(multipart, out ReadOnlyMemory<byte>[] frames) && frames.Length >= 4 ? new JupyterMessage(frames, 0) : null;

    /// <summary>The routing prefix; on IOPub a topic.</summary>
    public ReadOnlySpan<ReadOnlyMemory<byte>> Identities => _frames.AsSpan(0, Math.Max(0, _first - 2));

    public ReadOnlyMemory<byte> Signature => _first == 0 ? default : _frames[_first - 1];
    public ReadOnlyMemory<byte> HeaderJson => _frames[_first];
    public ReadOnlyMemory<byte> ParentJson => _frames[_first + 1];
    public ReadOnlyMemory<byte> MetadataJson => Frame(2);
    public ReadOnlyMemory<byte> Content => Frame(3);

    /// <summary>Binary buffers, as widgets send them.</summary>
    public ReadOnlySpan<ReadOnlyMemory<byte>> Buffers => _frames.AsSpan(Math.Min(_first + 4, _frames.Length));

    public JupyterHeader Header => _header ??= JupyterHeader.Read(HeaderJson.Span);
    public JupyterHeader Parent => _parent ??= JupyterHeader.Read(ParentJson.Span);
    public string MessageType => _messageType ??= JupyterMessageTypes.Read(HeaderJson.Span);
    public string MessageId => _messageId ??= JupyterJson.GetText(HeaderJson.Span, "msg_id"u8) ?? "";

    /// <summary>The request this answers; empty for what a kernel says unasked.</summary>
    public string ParentMessageId => _parentMessageId ??= JupyterJson.GetText(ParentJson.Span, "msg_id"u8) ?? "";

    /// <summary>The type of that request; empty as well.</summary>
    public string ParentMessageType => _parentMessageType ??= JupyterMessageTypes.Read(ParentJson.Span);

    /// <summary>Of a <c>status</c> message: busy, idle or starting.</summary>
    public string? ExecutionState => JupyterJson.GetText(Content.Span, "execution_state"u8);

    /// <summary>Of a reply: ok, error or aborted.</summary>
    public string? ReplyStatus => JupyterJson.GetText(Content.Span, "status"u8);

    /// <summary>A copy of the whole message, as <see cref="TryParse"/> takes it.</summary>
    public byte[] ToMultipart() => Multipart.Encode(_frames);

    private ReadOnlyMemory<byte> Frame(int index) => _first + index < _frames.Length ? _frames[_first + index] : default;

    private static JupyterMessage? FromFrames(ReadOnlyMemory<byte>[] frames, int framesMin)
    {
        for (int i = 0; i < frames.Length; i++)
        {
            if (frames[i].Span.SequenceEqual(Delimiter))
            {
                return frames.Length - i >= framesMin ? new JupyterMessage(frames, i + 2) : null;
            }
        }

        return null;
    }
}
