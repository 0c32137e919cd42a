namespace Holdfast.Engine;

/// <summary>
/// Lets one in at a time, until it is closed: then whoever waits or comes is refused (server-stopping), and whoever is within is asked to
/// end.
/// </summary>
internal sealed class Turnstile : IDisposable
{
    // Neither holds anything of the system's, and both are asked after the closing: they are left to the collector.
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly CancellationTokenSource _closing = new();

    /// <param name="work">Given a token that ends with the caller's, or when this is closed.</param>
    public async Task<T> RunAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
    {
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _closing.Token);
            await _one.WaitAsync(either.Token);
            try
            {
                return await work(either.Token);
            }
            finally
            {
                _one.Release();
            }
        }
        catch (OperationCanceledException) when (_closing.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new RefusedException(
                ErrorCodes.ServerStopping,
                "The server is stopping, and has left this where it was. Nothing is lost by it: the next one goes on; ask again when it is there."
            );
        }
    }

    /// <summary>Closes it.</summary>
    public void Dispose() => _closing.Cancel();
}
