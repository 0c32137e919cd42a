using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// One socket on which the kernel speaks. Each message is 1. taken whole, 2. checked against its signature, 3. journalled as it came,
/// straight from libzmq's memory, and 4. only then told. What does not verify is no message: an event says that it came. While the journal
/// is stalled nothing is taken; libzmq's own thread goes on receiving into memory, because the kernel's side would drop what it cannot
/// send.
/// </summary>
internal sealed unsafe class KernelInbox : IDisposable
{
    // A flood on one channel lets the others, and the link, have their turn.
    private const int MessagesPerTurn = 256;
    private const long BytesPerTurn = 16 * 1024 * 1024;

    private readonly nint _socket;
    private readonly string _channelName;
    private readonly JournalChannel _channel;
    private readonly JupyterSigner _signer;
    private readonly AttemptJournal _journal;
    private readonly LoopCallback _received;
    private readonly LoopCallback _appended;
    private readonly PollRegistration _registration;
    private readonly ZmqFrames _frames = new();
    private NativePart[]? _parts;
    private byte[] _head = [];
    private int _headerIndex;
    private bool _isWaitingForRoom;

    /// <param name="received">Called for each message that verified, after it is in the journal; <see cref="Header"/> and the others show
    /// it during the call.</param>
    public KernelInbox(
        PollLoop loop,
        nint socket,
        string channelName,
        JournalChannel channel,
        JupyterSigner signer,
        AttemptJournal journal,
        LoopCallback received
    )
    {
        _socket = socket;
        _channelName = channelName;
        _channel = channel;
        _signer = signer;
        _journal = journal;
        _received = received;
        _appended = OnAppended;
        _registration = loop.AddSocket(socket, Zmq.GetOption(socket, Zmq.OptionDescriptor), PollEvents.Readable, _ => Drain());
    }

    public ReadOnlySpan<byte> Header => _frames[_headerIndex];
    public ReadOnlySpan<byte> Parent => _frames[_headerIndex + 1];
    public ReadOnlySpan<byte> Content => _frames[_headerIndex + 3];

    /// <summary>Messages taken so far, those that did not verify included: whether anything still comes.</summary>
    public long TakenCount { get; private set; }

    /// <summary>A message that is swallowed: it reaches its callback without being journalled.</summary>
    public Func<bool>? IsSwallowed { get; init; }

    /// <summary>Follows the journal: nothing is taken while it is stalled.</summary>
    public void StallChanged() => _registration.Events = _journal.IsStalled ? PollEvents.None : PollEvents.Readable;

    public void Dispose()
    {
        _registration.Remove();
        _frames.Dispose();
    }

    private void Drain()
    {
        long bytes = 0;
        for (int i = 0; i < MessagesPerTurn && bytes < BytesPerTurn; i++)
        {
            if (_isWaitingForRoom || _journal.IsStalled)
            {
                return;
            }

            if (!_frames.TryReceive(_socket))
            {
                _registration.IsUnsure = false;
                return;
            }

            TakenCount++;
            bytes += Take();
            if (!_isWaitingForRoom)
            {
                // At once, and not with the next message: it may be 100 MB and the last for hours.
                _frames.Close();
            }
        }
    }

    private long Take()
    {
        if (!TryFindHeader())
        {
            Refuse("It is no Jupyter message.");
            return 0;
        }

        int i = _headerIndex;
        if (!_signer.Verify(_frames[i - 1], _frames[i], _frames[i + 1], _frames[i + 2], _frames[i + 3]))
        {
            Refuse("Its signature is not made with the key of this kernel.");
            return 0;
        }

        if (IsSwallowed is not null && IsSwallowed())
        {
            _received();
            return 0;
        }

        return Append();
    }

    private long Append()
    {
        int count = _frames.Count;
        int headLength = Multipart.HeadLength(count);
        if (_parts?.Length != count + 1)
        {
            _parts = new NativePart[count + 1];
            _head = GC.AllocateUninitializedArray<byte>(headLength, pinned: true);
        }

        Span<long> lengths = count <= 64 ? stackalloc long[count] : new long[count];
        long total = headLength;
        for (int i = 0; i < count; i++)
        {
            lengths[i] = _frames.Length(i);
            _parts[i + 1] = new NativePart(_frames.Start(i), lengths[i]);
            total += lengths[i];
        }

        _ = Multipart.WriteHead(_head, lengths);
        fixed (byte* head = _head)
        {
            // The array is pinned for its life, so the address outlives this block, as it must when the journal has no room now.
            _parts[0] = new NativePart(head, headLength);
        }

        _isWaitingForRoom = true;
        _journal.AppendParts(_channel, _parts, _appended);
        return total;
    }

    private void OnAppended()
    {
        _isWaitingForRoom = false;
        _received();
    }

    private bool TryFindHeader()
    {
        for (int i = 0; i + 5 < _frames.Count; i++)
        {
            if (_frames[i].SequenceEqual(JupyterMessage.Delimiter))
            {
                _headerIndex = i + 2;
                return true;
            }
        }

        return false;
    }

    private void Refuse(string why)
    {
        string said = _frames.Count > 0 ? Encoding.UTF8.GetString(_frames[0][..(int)Math.Min(64, _frames.Length(0))]) : "";
        _journal.Record(
            new AttemptEvent
            {
                Event = AttemptEvent.BadSignature,
                Channel = _channelName,
                Reason = $"A message of {_frames.Count} frames, the first \"{said}\", was not taken for the kernel's. {why}",
            }
        );
    }
}
