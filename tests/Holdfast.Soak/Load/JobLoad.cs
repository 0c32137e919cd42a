using System.Text;
using Holdfast.Soak.Books;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Load;

/// <summary>
/// A caller of jobs of every kind, several at once: it pauses some, cancels some, follows the output of some, and runs again some of what
/// failed or was lost. Each is held against what it said itself as soon as it is over, before retention takes it.
/// </summary>
internal sealed class JobLoad(Stage stage, JobMaker maker, Hooks hooks, Random random)
{
    private const string Work = "jobs";
    private const int Outstanding = 5;
    private const int MeddleMsMax = 300;

    public async Task RunAsync(CancellationToken until)
    {
        using var room = new SemaphoreSlim(Outstanding);
        List<Task> playing = [];
        while (!until.IsCancellationRequested)
        {
            await room.WaitAsync(CancellationToken.None);
            playing.RemoveAll(static t => t.IsCompletedSuccessfully);
            if (playing.Find(static t => t.IsFaulted) is { } broken)
            {
                await broken;
            }

            // Drawn here, by one, so that the same seed draws the same jobs.
            playing.Add(PlayAsync(maker.Next(random), random.Next(10), random.Next(MeddleMsMax), room));
        }

        await Task.WhenAll(playing);
    }

    private async Task PlayAsync(HouseJob job, int fortune, int pauseMs, SemaphoreSlim room)
    {
        try
        {
            await stage.GuardAsync(job.Key, () => PlayAsync(job, fortune, pauseMs));
        }
        finally
        {
            room.Release();
        }
    }

    private async Task PlayAsync(HouseJob job, int fortune, int pauseMs)
    {
        RestReply reply = await stage.House.PersistAsync(rest => rest.PostAsync("/v1/jobs", job.Request, job.Key));
        var acknowledged = new AcknowledgedJob(
            job,
            reply.Status is 200 or 201 ? reply.Execution.Id : throw new InvalidOperationException(reply.Text)
        );
        stage.Ledger.Of(Work).Acknowledge();
        Task<byte[]?> following = fortune == 3 ? FollowAsync(acknowledged.Id) : Task.FromResult<byte[]?>(null);
        bool isCancelled = fortune == 0;
        switch (fortune)
        {
            case 0:
                await Task.Delay(TimeSpan.FromMilliseconds(pauseMs), TimeProvider.System);
                await CommandAsync(acknowledged.Id, "cancel");
                break;
            case 1:
                await Task.Delay(TimeSpan.FromMilliseconds(pauseMs), TimeProvider.System);
                await CommandAsync(acknowledged.Id, "pause");
                await Task.Delay(TimeSpan.FromMilliseconds(pauseMs), TimeProvider.System);
                await CommandAsync(acknowledged.Id, "resume");
                break;
        }

        ExecutionReply end = await stage.House.EndOfAsync(acknowledged.Id);
        int retries = 0;
        while (end.State is "lost" or "failed" && fortune % 2 == 0 && job.Callback is null && retries == 0)
        {
            _ = await stage.House.PersistAsync(rest =>
            {
                retries++; // However often it was asked, it may have begun.
                return rest.CommandAsync(acknowledged.Id, "retry");
            });
            stage.Ledger.Did("retries");
            end = await stage.House.EndOfAsync(acknowledged.Id);
        }

        await CheckAsync(acknowledged, end, retries, isCancelled, await following);
    }

    private async Task CheckAsync(AcknowledgedJob job, ExecutionReply end, int retries, bool isCancelled, byte[]? followed)
    {
        string? cause = end.State == "lost" ? stage.Victims.CauseOfJob(job.Id) : null;
        TruthFile truth = stage.Truth(job.Job.Key);
        Violations violations = await new Promises(stage.House, truth)
        {
            MayBeLost = _ => cause is not null,
            MayBeCancelled = _ => isCancelled,
            Retries = _ => retries,
        }.CheckAsync([job]);
        if (
            followed is not null
            && end.State == job.Job.ExpectedState
            && retries == 0
            && !followed.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(job.Job.Stdout))
        )
        {
            violations.OutputMismatch.Add(
                $"{job.Job.Key}: whoever followed it got {followed.Length} bytes, and it wrote {job.Job.Stdout.Length}"
            );
        }

        stage.Take(violations);
        JobMaker.CheckLocks(job.Job, truth, stage.Ledger);
        if (job.Job.Callback is not null)
        {
            await hooks.CheckAsync(stage, job.Id, end.State);
        }

        Account account = stage.Ledger.Of(Work);
        switch (end.State)
        {
            case "lost" when cause is not null:
                account.Lose(cause);
                break;
            case "cancelled" when isCancelled:
                account.Cancel();
                break;
            case var state when state == job.Job.ExpectedState:
                account.Finish();
                break;
        }
    }

    /// <summary>What the state does not allow is refused, and that is as good.</summary>
    private async Task CommandAsync(string id, string verb)
    {
        RestReply reply = await stage.House.PersistAsync(rest => rest.CommandAsync(id, verb));
        if (reply.Status == 200)
        {
            stage.Ledger.Did(verb + "s");
        }
        else if (reply.Status != 409)
        {
            throw new InvalidOperationException($"{verb} of {id} was answered {reply.Status}: {reply.Text}");
        }
    }

    /// <summary>Follows standard output through every death of the server, from the last event's id each time.</summary>
    private async Task<byte[]?> FollowAsync(string id)
    {
        using var bytes = new MemoryStream();
        string? last = null;
        bool isOver = await stage.House.PersistAsync(async rest =>
        {
            await foreach (StreamEvent e in rest.FollowAsync($"/v1/executions/{id}/follow?stream=stdout", last, CancellationToken.None))
            {
                last = e.Id ?? last;
                if (e.Name == "end")
                {
                    return true;
                }

                bytes.Write(Convert.FromBase64String(e.Data));
            }

            // A server that stops in order ends the stream in order.
            throw new IOException("The stream ended before the job did.");
        });
        stage.Ledger.Did("outputs followed to the end", isOver ? 1 : 0);
        return bytes.ToArray();
    }
}
