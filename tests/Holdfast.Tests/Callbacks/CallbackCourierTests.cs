using System.Collections.Concurrent;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Callbacks;

/// <summary>The courier on a real store: what is durable when, what waits for what, and what a stop leaves.</summary>
public sealed class CallbackCourierTests
{
    private static readonly Task<CallbackAnswer> Delivered = Task.FromResult(CallbackHouse.Delivered);

    [Fact]
    public async Task An_attempt_is_a_row_before_anything_is_sent()
    {
        CallbackHouse? house = null;
        (CallbackState State, int Rows, long? End)? seen = null;
        house = new CallbackHouse(callback =>
        {
            Callback stored = house!.Executions.Store.Read(reader => CallbacksTable.Find(reader, callback.Sequence))!;
            seen = (stored.Status.State, house.AttemptsOf(stored).Count, house.AttemptsOf(stored)[0].FinishedAt);
            return Delivered;
        });
        await using CallbackHouse opened = house;
        await house.StartAsync();
        Execution execution = await house.AddAsync("https://example.org/a");
        Assert.Equal(CallbackState.Waiting, house.Of(execution)[0].Status.State);
        await house.EndAsync(execution);
        await house.UntilAsync(execution, CallbackState.Delivered);
        Assert.Equal((CallbackState.Sending, 1, null), seen);
        Assert.Equal(200, Assert.Single(house.AttemptsOf(house.Of(execution)[0])).Status);
    }

    [Fact]
    public async Task What_is_not_delivered_yet_is_counted_by_state()
    {
        await using var house = new CallbackHouse(_ => Delivered);
        await house.StartAsync();
        Execution first = await house.AddAsync("https://example.org/a");
        _ = await house.AddAsync("https://example.org/b");
        Assert.Equal(2, Count(house, CallbackState.Waiting));
        await house.EndAsync(first);
        await house.UntilAsync(first, CallbackState.Delivered);
        Assert.Equal(1, Count(house, CallbackState.Waiting));
        Assert.All(
            (CallbackState[])[CallbackState.Pending, CallbackState.Sending, CallbackState.Parked, CallbackState.Disabled],
            state => Assert.Equal(0, Count(house, state))
        );
    }

    private static long Count(CallbackHouse house, CallbackState state) =>
        house.Executions.Store.Read(CallbacksTable.CountOpen).Single(c => c.State == state).Count;

    [Fact]
    public async Task What_is_told_is_in_the_transaction_of_the_outcome()
    {
        await using var house = new CallbackHouse(_ => Delivered);
        Execution execution = await house.AddAsync("https://example.org/a");
        await Assert.ThrowsAsync<InvalidDataException>(() =>
            house.Executions.Store.WriteAsync<int>(
                transaction =>
                {
                    house.Executions.Ledger.Command(transaction, execution.Id, ExecutionCommand.Cancel);
                    throw new InvalidDataException();
                },
                TemporaryLedger.Cancel
            )
        );
        Assert.Equal(CallbackState.Waiting, house.Of(execution)[0].Status.State);
        await house.EndAsync(execution);
        Assert.Equal((CallbackState.Pending, "execution.cancelled"), (house.Of(execution)[0].Status.State, house.Of(execution)[0].Type));
    }

    [Fact]
    public async Task A_failure_waits_for_its_time_and_is_the_same_bytes_under_the_same_id()
    {
        int attempts = 0;
        await using var house = new CallbackHouse(_ => ++attempts < 3 ? Task.FromResult(CallbackHouse.Failed) : Delivered);
        await house.StartAsync();
        Execution execution = await house.AddAsync("https://example.org/a");
        await house.EndAsync(execution);
        foreach (int seconds in (int[])[30, 120])
        {
            int before = house.Sent.Count;
            await house.UntilAsync(() =>
                house.Of(execution)[0] is { Status.State: CallbackState.Pending, Attempts: > 0 } pending
                && pending.Attempts == attempts
                && attempts > 0
            );
            await house.Executions.Clock.TimerSetAsync();
            house.Executions.Clock.Turn(TimeSpan.FromSeconds(seconds - 1));
            Assert.True(house.Sent.Count <= before + 1);
            house.Executions.Clock.Turn(TimeSpan.FromSeconds((seconds * 0.1) + 2));
            int sent = seconds == 30 ? 2 : 3;
            await house.UntilAsync(() => house.Sent.Count == sent);
        }

        await house.UntilAsync(execution, CallbackState.Delivered);
        Assert.Single(house.Sent.Select(static s => s.Id).Distinct());
        Assert.Single(house.Sent.Select(static s => Convert.ToHexString(s.Body!)).Distinct());
        Assert.Equal([500, 500, 200], house.AttemptsOf(house.Of(execution)[0]).Select(static a => a.Status!.Value));
    }

    [Fact]
    public async Task One_dead_receiver_of_a_hundred_delays_none_of_the_others()
    {
        const string dead = "https://dead.example/hook";
        await using var house = new CallbackHouse(callback =>
            callback.Order.Url == dead ? new TaskCompletionSource<CallbackAnswer>().Task : Delivered
        );
        await house.StartAsync();
        var executions = new List<Execution>();
        for (int i = 0; i < 1000; i++)
        {
            executions.Add(await house.AddAsync(i % 100 == 0 ? dead : $"https://host{i % 10}.example/{i % 100}"));
        }

        await house.Executions.Store.WriteAsync(
            transaction => executions.ForEach(e => house.Executions.Ledger.Command(transaction, e.Id, ExecutionCommand.Cancel)),
            TemporaryLedger.Cancel
        );
        await house.UntilAsync(() =>
            house.Executions.Published.Count(static p => p.Kind == "callback.delivered") == 990
            && house.Sent.Count(static s => s.Order.Url == dead) >= CallbackLimits.InFlightPerNewLane
        );
        Assert.Equal(CallbackLimits.InFlightPerNewLane, house.Sent.Count(static s => s.Order.Url == dead));
    }

    [Fact]
    public async Task The_ends_of_one_execution_are_told_in_their_order()
    {
        var answers = new ConcurrentQueue<TaskCompletionSource<CallbackAnswer>>();
        await using var house = new CallbackHouse(_ =>
        {
            var answer = new TaskCompletionSource<CallbackAnswer>();
            answers.Enqueue(answer);
            return answer.Task;
        });
        await house.StartAsync();
        Execution execution = await house.AddAsync("https://example.org/a");
        await house.EndAsync(execution);
        await house.Executions.CommandAsync(execution.Id, ExecutionCommand.Retry);
        await house.EndAsync(execution);

        // Another receiver's callback comes after both, and is not held up: what is sent then has been looked through.
        Execution other = await house.AddAsync("https://example.org/b");
        await house.EndAsync(other);
        await house.UntilAsync(() => answers.Count == 2);
        Assert.Equal([1, 2], house.Of(execution).Select(static c => (int)c.Status.State));
        foreach (TaskCompletionSource<CallbackAnswer> answer in answers)
        {
            answer.SetResult(CallbackHouse.Delivered);
        }

        await house.UntilAsync(() => answers.Count == 3);
        Assert.Equal([1, 3], house.Sent.Where(s => s.SubjectId == execution.Id.Value).Select(static s => s.Sequence == 1 ? 1 : 3));
    }

    [Fact]
    public async Task What_a_stop_cuts_off_is_sent_again_by_the_next_server_at_once_and_counts_as_no_failure()
    {
        bool isUp = false;
        await using var house = new CallbackHouse(_ =>
            Volatile.Read(ref isUp) ? Delivered : new TaskCompletionSource<CallbackAnswer>().Task
        );
        await house.StartAsync();
        Execution execution = await house.AddAsync("https://example.org/a");
        await house.EndAsync(execution);
        await house.UntilAsync(() => !house.Sent.IsEmpty);
        await house.StopAsync();
        Assert.Equal((CallbackState.Pending, 0), (house.Of(execution)[0].Status.State, house.Of(execution)[0].Status.Failures));
        Volatile.Write(ref isUp, true);
        Assert.Equal(0, await house.StartAsync());
        await house.UntilAsync(execution, CallbackState.Delivered);
        Assert.Single(house.Sent.Select(static s => s.Id).Distinct());
    }

    [Fact]
    public async Task What_a_crash_cuts_off_is_found_by_the_next_server()
    {
        await using var house = new CallbackHouse(_ => Delivered);
        Execution execution = await house.AddAsync("https://example.org/a");
        await house.EndAsync(execution);
        await house.Executions.Store.WriteAsync(transaction => house.Callbacks.Begin(transaction, 1), TemporaryLedger.Cancel);
        Assert.Equal(CallbackState.Sending, house.Of(execution)[0].Status.State);
        Assert.Equal(1, await house.StartAsync());
        await house.UntilAsync(execution, CallbackState.Delivered);
        List<CallbackAttempt> attempts = house.AttemptsOf(house.Of(execution)[0]);
        Assert.Equal((2, true), (attempts.Count, attempts[0].Error!.Contains("not known", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_receiver_that_is_gone_is_not_told_of_a_retry()
    {
        await using var house = new CallbackHouse(_ =>
            Task.FromResult(new CallbackAnswer(CallbackVerdict.Gone) { Status = 410, Error = "gone" })
        );
        await house.StartAsync();
        Execution execution = await house.AddAsync("https://example.org/a");
        await house.EndAsync(execution);
        await house.UntilAsync(execution, CallbackState.Disabled);
        await house.Executions.CommandAsync(execution.Id, ExecutionCommand.Retry);
        await house.EndAsync(execution);
        Assert.Single(house.Of(execution));
    }

    [Fact]
    public async Task Of_many_attempts_the_last_are_kept()
    {
        await using var house = new CallbackHouse(_ =>
            Task.FromResult(new CallbackAnswer(CallbackVerdict.Refused) { Status = 400, Error = "no" })
        );
        await house.StartAsync();
        Execution execution = await house.AddAsync("https://example.org/a");
        await house.EndAsync(execution);
        CallbackId id = house.Of(execution)[0].Id;
        for (int i = 1; i <= CallbackLimits.AttemptsKept + 5; i++)
        {
            int attempts = i;
            await house.UntilAsync(() =>
                house.Of(execution)[0] is { Status.State: CallbackState.Parked } parked && parked.Attempts == attempts
            );
            await house.Executions.Store.WriteAsync(transaction => house.Callbacks.Redrive(transaction, id), TemporaryLedger.Cancel);
        }

        await house.UntilAsync(execution, CallbackState.Parked);
        Assert.Equal(CallbackLimits.AttemptsKept, house.AttemptsOf(house.Of(execution)[0]).Count);
    }
}
