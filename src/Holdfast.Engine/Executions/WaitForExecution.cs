using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>
/// Waits until an execution is terminal or the time is up, whichever is first; returns it as it then is. Leaving early never touches the
/// work.
/// </summary>
public sealed class WaitForExecution(StateStore store, EndWaiters waiters, TimeProvider time)
{
    public async Task<Execution> RunAsync(ExecutionId id, TimeSpan timeout, CancellationToken cancellationToken)
    {
        long deadline = time.GetTimestamp() + (long)(Math.Min(timeout.TotalSeconds, int.MaxValue) * time.TimestampFrequency);
        while (true)
        {
            Task ended = waiters.NextEndAsync(id.Value);
            Execution? execution = store.Read(reader => ExecutionsTable.Find(reader, id));
            if (execution is null || execution.State.IsSettled())
            {
                waiters.Forget(id.Value);
                return execution ?? throw ExecutionId.NotFound(id.Value);
            }

            TimeSpan left = time.GetElapsedTime(time.GetTimestamp(), deadline);
            if (left <= TimeSpan.Zero)
            {
                return execution;
            }

            try
            {
                await ended.WaitAsync(left < LongestTimer ? left : LongestTimer, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                // The loop reads the state once more and answers with it.
            }
        }
    }

    private static readonly TimeSpan LongestTimer = TimeSpan.FromDays(20);
}
