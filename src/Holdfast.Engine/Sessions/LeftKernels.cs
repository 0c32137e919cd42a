using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Sessions;

/// <summary>Stops the kernels that sessions have left for others, also those that the server before did not come to.</summary>
public sealed partial class LeftKernels(StateStore store, StopKernel stop, ILogger<LeftKernels> logger)
{
    /// <summary>
    /// After recovery. Each is stopped behind the scenes; one that cannot be reached now is found again at the next start.
    /// </summary>
    public void Start() => store.Read(SessionsTable.Leaving).ForEach(session => _ = StopLaterAsync(session));

    internal async Task StopAsync(Session session, CancellationToken cancellationToken)
    {
        await stop.DismissAsync(session.LeftKernelId!.Value, cancellationToken);
        await store.WriteAsync(
            transaction =>
            {
                if (SessionsTable.Find(transaction, session.Id) is { } now && now.LeftKernelId == session.LeftKernelId)
                {
                    SessionsTable.Update(transaction, now with { LeftKernelId = null });
                }
            },
            CancellationToken.None
        );
    }

    private async Task StopLaterAsync(Session session)
    {
        try
        {
            await StopAsync(session, CancellationToken.None);
        }
        catch (Exception e) when (e is RefusedException or StoreException)
        {
            Log.NotStopped(logger, session.LeftKernelId!.Value.Value, e);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.LeftKernelNotStopped,
            LogLevel.Warning,
            "Kernel {KernelId}, which its session has left, could not be stopped; the next start tries again."
        )]
        public static partial void NotStopped(ILogger logger, string kernelId, Exception exception);
    }
}
