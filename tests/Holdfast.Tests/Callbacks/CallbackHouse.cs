using System.Collections.Concurrent;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Tests.Executions;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Callbacks;

/// <summary>A real store and ledger with a courier whose receivers are a function, and a clock that stands still.</summary>
internal sealed class CallbackHouse : IAsyncDisposable, ICallbackSender
{
    private readonly Func<Callback, Task<CallbackAnswer>> _receive;
    private CallbackCourier? _courier;

    private event Action? Attempted;

    public CallbackHouse(Func<Callback, Task<CallbackAnswer>> receive)
    {
        _receive = receive;
        Callbacks = new CallbackLedger(Executions.Feed, "here", Executions.Time);
    }

    public static CallbackAnswer Delivered { get; } = new(CallbackVerdict.Delivered) { Status = 200 };
    public static CallbackAnswer Failed { get; } = new(CallbackVerdict.Failed) { Status = 500, Error = "no" };

    public TemporaryLedger Executions { get; } = new();
    public CallbackLedger Callbacks { get; }

    /// <summary>Every attempt, in the order in which it was made.</summary>
    public ConcurrentQueue<Callback> Sent { get; } = new();

    public async Task<CallbackAnswer> SendAsync(Callback callback, CancellationToken cancellationToken)
    {
        Task<CallbackAnswer> receiving = _receive(callback);
        Sent.Enqueue(callback);
        Attempted?.Invoke();
        return await receiving.WaitAsync(cancellationToken);
    }

    /// <summary>A server starts: what was cut off is put right, and the courier begins.</summary>
    public async Task<int> StartAsync()
    {
        _courier = new CallbackCourier(
            Executions.Store,
            Callbacks,
            Executions.Feed,
            this,
            this,
            Executions.Meters,
            Executions.Time,
            NullLogger<CallbackCourier>.Instance
        );
        return (await new RecoverCallbacks(Executions.Store, Callbacks, _courier).RunAsync(TemporaryLedger.Cancel)).Found;
    }

    /// <summary>A server stops; the clock is turned past its patience with what is under way.</summary>
    public async Task StopAsync()
    {
        if (_courier is { } courier)
        {
            _courier = null;
            Task stopping = courier.DisposeAsync().AsTask();
            while (!stopping.IsCompleted)
            {
                await Task.WhenAny(stopping, Executions.Clock.TimerSetAsync());
                Executions.Clock.Turn(TimeSpan.FromSeconds(1));
            }

            await stopping;
        }
    }

    public Task<Execution> AddAsync(string url, CallbackSchedule? schedule = null) =>
        Executions.Store.WriteAsync(
            transaction =>
                Executions.Ledger.Add(
                    transaction,
                    Executions.Draft(),
                    "{}",
                    null,
                    new CallbackOrder { Url = url, Schedule = schedule ?? CallbackSchedule.Minutes }
                ),
            TemporaryLedger.Cancel
        );

    /// <summary>Its end, whatever it was.</summary>
    public Task EndAsync(Execution execution) => Executions.CommandAsync(execution.Id, ExecutionCommand.Cancel);

    public List<Callback> Of(Execution execution) =>
        Executions.Store.Read(reader => CallbacksTable.List(reader, execution.Id.Value, null, 100));

    public List<CallbackAttempt> AttemptsOf(Callback callback) =>
        Executions.Store.Read(reader => CallbackAttemptsTable.Of(reader, callback.Sequence));

    /// <summary>Completes when the condition holds, looked at after each attempt and each change that is published.</summary>
    public async Task UntilAsync(Func<bool> condition)
    {
        var holds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look()
        {
            if (condition())
            {
                holds.TrySetResult();
            }
        }

        void LookAt(FeedEvent published) => Look();
        Attempted += Look;
        Executions.Feed.Published += LookAt;
        try
        {
            if (!condition())
            {
                await holds.Task.WaitAsync(TimeSpan.FromSeconds(60), TimeProvider.System, TemporaryLedger.Cancel);
            }
        }
        finally
        {
            Attempted -= Look;
            Executions.Feed.Published -= LookAt;
        }
    }

    public Task UntilAsync(Execution execution, CallbackState state) => UntilAsync(() => Of(execution)[0].Status.State == state);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await Executions.DisposeAsync();
    }
}
