using System.Buffers;
using System.Text;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// One connected client: its cursor, the mark of its session, and whose replies it is to get. Used by its connection alone, but for being
/// replaced.
/// </summary>
public sealed class KernelClient : IDisposable
{
    private const int NamesMax = 64;

    private static readonly SearchValues<byte> PlainLetters = SearchValues.Create(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_."u8
    );

    private readonly KernelClients _clients;
    private readonly LiveKernels _kernels;
    private readonly Action _replaced;
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _leaving = new();
    private bool _hasLeft; // guarded by _leaving
    private volatile List<byte[]> _names; // Replaced, never changed: two loops read it.

    internal KernelClient(KernelClients clients, LiveKernels kernels, KernelId kernel, string path, byte[] session, Action replaced)
    {
        (_clients, _kernels, Kernel, Path, _replaced) = (clients, kernels, kernel, path, replaced);
        _names = session.Length == 0 ? [] : [session];
        OwnName =
            session.Length > 0 && !session.AsSpan().ContainsAnyExcept(PlainLetters)
                ? session
                : Encoding.ASCII.GetBytes(Guid.NewGuid().ToString("N"));
    }

    public KernelId Kernel { get; }

    /// <summary>
    /// Under which its requests go that name no session: its session, or a name that nobody else has where it has none, or one that JSON's
    /// writers write in several ways.
    /// </summary>
    public ReadOnlyMemory<byte> OwnName { get; }

    /// <summary>The kernel's present incarnation, which may be a later one than the cursor reads; null when it has none.</summary>
    public LiveKernel? Live => _kernels.TryGet(Kernel, out LiveKernel? live) ? live : null;

    public ClientCursor Cursor { get; private set; } = null!;

    /// <summary>How far it got, for the day that it comes back.</summary>
    public SessionMark Mark { get; internal set; } = null!;

    /// <summary>True when it goes on where an earlier connection of its session got to.</summary>
    public bool IsReturning { get; private set; }

    /// <summary>Set when it closes the connection itself, unasked: without a session it will not come back.</summary>
    public bool HasSaidGoodbye { get; set; }

    internal string Path { get; }

    internal Task Left => _left.Task;

    /// <summary>From now on replies to requests of this session are this client's: it has sent one.</summary>
    public void AddName(ReadOnlySpan<byte> session)
    {
        if (session.IsEmpty || _names.Count >= NamesMax || IsName(session))
        {
            return;
        }

        _names = [.. _names, session.ToArray()];
        lock (_leaving)
        {
            if (!_hasLeft)
            {
                Mark.AddName(session);
            }
        }
    }

    /// <summary>
    /// Whether a message is for this client: what a kernel publishes and what it asks is for everyone, a reply for whoever asked; what it
    /// says of the supervisor's own questions is for nobody.
    /// </summary>
    public bool Wants(KernelChannel channel, ReadOnlySpan<byte> parent) =>
        channel switch
        {
            KernelChannel.IoPub => !SupervisorRequest.IsQuestion(parent),
            KernelChannel.Stdin => true,
            _ => JupyterJson.TryGetRaw(parent, "session"u8, out ReadOnlySpan<byte> session) && IsName(session),
        };

    /// <summary>
    /// Gives up its place, which the next connection of its session may take. What its own connection still hears of the client may go on
    /// to the kernel.
    /// </summary>
    public void Dispose()
    {
        lock (_leaving)
        {
            if (_hasLeft)
            {
                return;
            }

            _hasLeft = true;
            Cursor?.Dispose();
            Mark?.Dispose();
        }

        _clients.Leave(this);
        _left.TrySetResult();
    }

    internal void Begin(ClientCursor cursor, bool isReturning)
    {
        (Cursor, IsReturning) = (cursor, isReturning);
        foreach (byte[] name in Mark.ReadNames())
        {
            if (!IsName(name))
            {
                _names = [.. _names, name];
            }
        }
    }

    internal void Replace() => _replaced();

    private bool IsName(ReadOnlySpan<byte> session)
    {
        foreach (byte[] name in _names)
        {
            if (session.SequenceEqual(name))
            {
                return true;
            }
        }

        return false;
    }
}
