using System.Net.WebSockets;

namespace Holdfast.Server.Jupyter.Events;

/// <summary>
/// Sends one subscriber its events, in text frames, until it leaves, lags too far (1013: try again later) or the server stops (1012).
/// </summary>
internal static class EventSocket
{
    private const int ServiceRestart = 1012;
    private const int TryAgainLater = 1013;
    private const int ReceiveBytes = 1024;
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);

    public static async Task RunAsync(WebSocket socket, EventSubscription subscription, CancellationToken serverStopping)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(serverStopping);
        Task listening = ListenAsync(socket, leaving);
        try
        {
            await foreach (byte[] text in subscription.Waiting.ReadAllAsync(leaving.Token))
            {
                await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            }

            await CloseAsync(socket, TryAgainLater, listening);
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            await CloseAsync(
                socket,
                serverStopping.IsCancellationRequested ? ServiceRestart : (int)WebSocketCloseStatus.NormalClosure,
                listening
            );
        }
        catch (WebSocketException)
        {
            // It has gone.
        }
        finally
        {
            socket.Abort();
            await listening;
        }
    }

    /// <summary>
    /// What a subscriber says is of no interest, but that it leaves is. The receiving is not cancelled: that would break the socket before
    /// it can be closed.
    /// </summary>
    private static async Task ListenAsync(WebSocket socket, CancellationTokenSource leaving)
    {
        byte[] ignored = new byte[ReceiveBytes];
        try
        {
            while ((await socket.ReceiveAsync(ignored, CancellationToken.None)).MessageType != WebSocketMessageType.Close) { }
        }
        catch (WebSocketException) { }

        await leaving.CancelAsync();
    }

    /// <summary>Waits a little for the other end's own close: what was sent before the socket is thrown away has then arrived.</summary>
    private static async Task CloseAsync(WebSocket socket, int code, Task listening)
    {
        using var patience = new CancellationTokenSource(ClosePatience, TimeProvider.System);
        try
        {
            await socket.CloseOutputAsync((WebSocketCloseStatus)code, null, patience.Token);
            await listening.WaitAsync(patience.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // It has gone.
        }
    }
}
