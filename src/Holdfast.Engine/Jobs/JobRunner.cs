using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Jobs;

/// <summary>Passes what callers want of a running job on to its supervisor.</summary>
internal sealed class JobRunner(LiveAttempts attempts, JobDispatcher dispatcher, TimeProvider time) : IExecutionRunner
{
    /// <summary>For a supervisor that is being started, or is briefly out of reach.</summary>
    private static readonly TimeSpan LinkTimeout = TimeSpan.FromSeconds(10);

    public async Task CancelAsync(Execution execution, CancellationToken cancellationToken)
    {
        if (!attempts.TryGet(execution.AttemptId!.Value, out LiveAttempt? live))
        {
            return; // It is over, and its outcome is on its way.
        }

        live.IsStopRequested = true;
        if (live.Link.IsCompletedSuccessfully)
        {
            try
            {
                await dispatcher.StopAsync(live, await live.Link);
            }
            catch (Exception e) when (e is IOException or LinkRefusedException)
            {
                // The link broke, and whoever attaches the next one passes the wish on; or the job ended first, and keeps its own result.
            }
        }
    }

    public Task PauseAsync(Execution execution, CancellationToken cancellationToken) =>
        AskAsync(execution, new LinkMessage { Type = LinkMessageType.Pause }, cancellationToken);

    public Task ResumeAsync(Execution execution, CancellationToken cancellationToken) =>
        AskAsync(execution, new LinkMessage { Type = LinkMessageType.Resume }, cancellationToken);

    public Task WriteStandardInputAsync(Execution execution, ReadOnlyMemory<byte> bytes, bool end, CancellationToken cancellationToken) =>
        AskAsync(
            execution,
            new LinkMessage
            {
                Type = LinkMessageType.StandardInput,
                Body = bytes,
                End = end,
            },
            cancellationToken
        );

    /// <summary>Gives the terminal a job runs on another size.</summary>
    public Task ResizeAsync(Execution execution, int rows, int columns, CancellationToken cancellationToken) =>
        AskAsync(
            execution,
            new LinkMessage
            {
                Type = LinkMessageType.Resize,
                Rows = rows,
                Columns = columns,
            },
            cancellationToken
        );

    private async Task AskAsync(Execution execution, LinkMessage request, CancellationToken cancellationToken)
    {
        if (!attempts.TryGet(execution.AttemptId!.Value, out LiveAttempt? live))
        {
            throw new RefusedException(ErrorCodes.IllegalTransition, "The execution has just ended.");
        }

        try
        {
            SupervisorLink link = await live.Link.WaitAsync(LinkTimeout, time, cancellationToken);
            await live.Started.WaitAsync(LinkTimeout, time, cancellationToken);
            await link.RequestAsync(request with { Attempt = live.Id.Value }, cancellationToken)
                .WaitAsync(LinkTimeout, time, cancellationToken);
        }
        catch (Exception e) when (e is IOException or TimeoutException)
        {
            throw new RefusedException(
                ErrorCodes.SupervisorUnreachable,
                $"The supervisor of execution {execution.Id} does not answer now ({e.Message}). The work is not harmed; try again, and see 'holdfast status {execution.Id}'."
            );
        }
        catch (LinkRefusedException e)
        {
            throw new RefusedException(
                e.Code is ErrorCodes.StandardInputClosed or ErrorCodes.StandardInputFull or ErrorCodes.NotSupported
                    ? e.Code
                    : ErrorCodes.IllegalTransition,
                e.Message
            );
        }
    }
}
