using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

/// <summary>
/// Keeps the writer busy in a batch of its own until opened, so that what is written meanwhile gathers into the next batch.
/// </summary>
internal sealed class WriterGate : IAsyncDisposable
{
    private readonly ManualResetEventSlim _isOpen = new();
    private readonly Task _held;

    public WriterGate(StateStore store)
    {
        using var isHeld = new ManualResetEventSlim();
        _held = store.WriteAsync(
            _ =>
            {
                isHeld.Set();
                _isOpen.Wait();
            },
            CancellationToken.None
        );
        isHeld.Wait(TestContext.Current.CancellationToken);
    }

    public Task OpenAsync()
    {
        _isOpen.Set();
        return _held;
    }

    public async ValueTask DisposeAsync() => await OpenAsync();
}
