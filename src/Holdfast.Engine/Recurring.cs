namespace Holdfast.Engine;

/// <summary>
/// Something that is done now and then for as long as the server runs, one time after the other: a time that fails is told, and the next
/// one tries again. It begins one interval after the start, which has enough to do, unless it is given another delay.
/// </summary>
internal sealed class Recurring(TimeSpan interval, Func<CancellationToken, Task> work, Action<Exception> failed, TimeProvider time)
    : IAsyncDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _loop = Task.CompletedTask;

    /// <summary>Returns at once; of no effect while it goes on.</summary>
    public void Start(TimeSpan? firstAfter = null)
    {
        if (_loop.IsCompleted)
        {
            _loop = RunAsync(firstAfter);
        }
    }

    /// <summary>Waits for what is being done just now, which is asked to stop.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loop;
        _stopping.Dispose();
    }

    private async Task RunAsync(TimeSpan? firstAfter)
    {
        using var timer = new PeriodicTimer(interval, time);
        try
        {
            if (firstAfter is { } delay)
            {
                await Task.Delay(delay, time, _stopping.Token);
                await OnceAsync();
            }

            while (await timer.WaitForNextTickAsync(_stopping.Token))
            {
                await OnceAsync();
            }
        }
        catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
        {
            // The server stops; what is left is found by the next one.
        }
    }

    private async Task OnceAsync()
    {
        try
        {
            await work(_stopping.Token);
        }
        catch (Exception e) when (e is not OperationCanceledException || !_stopping.IsCancellationRequested)
        {
            failed(e);
        }
    }
}
