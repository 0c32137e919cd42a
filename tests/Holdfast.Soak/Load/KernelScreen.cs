using System.Net.WebSockets;
using System.Text;
using Holdfast.SystemTests.Jupyter;

namespace Holdfast.Soak.Load;

/// <summary>
/// A client of a kernel as VS Code is: one session, a WebSocket that is opened again whenever it ends, and of one message at a time what
/// was shown of it. Owed to it is every byte once, however often the server died.
/// </summary>
internal sealed class KernelScreen(House house, string kernel) : IAsyncDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(50);
    private readonly string _session = Guid.NewGuid().ToString("N");
    private readonly CancellationTokenSource _over = new();
    private readonly Lock _lock = new();
    private readonly StringBuilder _text = new(); // guarded by _lock, as what follows is
    private volatile KernelSocket? _socket;
    private Task _reading = Task.CompletedTask;
    private string? _shown;
    private int _idles;
    private int _replies;

    /// <summary>How often it had to come back.</summary>
    public int Returns { get; private set; }

    public void Begin() => _reading = ReadAsync();

    /// <summary>Sends a cell; its msg_id, or null when the connection broke, and nobody knows whether it was sent.</summary>
    public async Task<string?> ExecuteAsync(string code)
    {
        while (!_over.IsCancellationRequested)
        {
            if (_socket is not { } socket)
            {
                await Task.Delay(LookAgain, TimeProvider.System);
                continue;
            }

            try
            {
                return await socket.ExecuteAsync(code, onId: Expect);
            }
            catch (Exception e) when (e is WebSocketException or ObjectDisposedException or InvalidOperationException)
            {
                return null;
            }
        }

        return null;
    }

    /// <summary>What was shown of the last message, and whether its idle and its reply have come, once each.</summary>
    public (string Text, bool IsWhole) Look()
    {
        lock (_lock)
        {
            return (_text.ToString(), _idles == 1 && _replies == 1);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        _socket?.Dispose();
        await _reading;
        _over.Dispose();
    }

    private void Expect(string id)
    {
        lock (_lock)
        {
            (_shown, _idles, _replies) = (id, 0, 0);
            _text.Clear();
        }
    }

    private async Task ReadAsync()
    {
        while (!_over.IsCancellationRequested)
        {
            try
            {
                await house.UpAsync();
                using KernelSocket socket = await KernelSocket.OpenAsync(house.Server, kernel, _session);
                _socket = socket;
                Interlocked.MemoryBarrier();
                if (_over.IsCancellationRequested)
                {
                    return; // It came up too late to be closed by whoever ended this, and nothing more will be said on it.
                }

                while (await socket.ReadAsync() is { } message)
                {
                    Take(message);
                }
            }
            catch (Exception e)
                when (e
                        is WebSocketException
                            or HttpRequestException
                            or IOException
                            or ObjectDisposedException
                            or OperationCanceledException
                            or TimeoutException
                )
            {
                // Nobody is there at the moment, or nothing was said for a minute.
            }

            _socket = null;
            Returns++;
            await Task.Delay(LookAgain, TimeProvider.System);
        }
    }

    private void Take(SocketMessage message)
    {
        lock (_lock)
        {
            if (message.ParentId == _shown)
            {
                _text.Append(message.Text);
                _idles += message.State == "idle" ? 1 : 0;
                _replies += message.Type == "execute_reply" ? 1 : 0;
            }
        }
    }
}
