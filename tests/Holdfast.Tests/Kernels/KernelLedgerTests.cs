using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Kernels;

/// <summary>What a kernel's death, restart and end make of its row and its events.</summary>
public sealed class KernelLedgerTests : IAsyncDisposable
{
    private static readonly KernelPlan Plan = new("python3", "/srv")
    {
        Environment = new Dictionary<string, string> { ["A"] = "b=c", ["É"] = "" },
        MemoryBytesMax = 1 << 30,
        CpuMillisMax = 500,
        IsAutoRestarted = true,
    };

    private readonly TemporaryLedger _house = new();
    private readonly KernelLedger _ledger;

    public KernelLedgerTests() =>
        _ledger = new KernelLedger(_house.Ledger, _house.Feed, new RestartPolicy { RestartsMax = 2 }, "here", _house.Clock);

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task A_kernel_keeps_what_it_was_started_with()
    {
        KernelId id = await UpAsync(Plan);

        Kernel kernel = Find(id)!;
        Assert.Equal(Plan.Environment, kernel.Environment);
        Assert.Equal((Plan.MemoryBytesMax, Plan.CpuMillisMax, true), (kernel.MemoryBytesMax, kernel.CpuMillisMax, kernel.IsAutoRestarted));
    }

    [Fact]
    public async Task A_death_waits_for_its_restart_which_is_the_next_incarnation_of_the_same_kernel()
    {
        KernelId id = await UpAsync(Plan);
        await DieAsync(id);
        Kernel restarting = Find(id)!;
        Assert.Equal((KernelState.Restarting, null, "SIGSEGV"), (restarting.State, restarting.AttemptId, restarting.LastDeath!.SignalName));
        FeedEvent told = _house.Feed.ReadAfter(0, id.Value, 100)[^1];
        Assert.Equal("kernel.restarting", told.Kind);
        Assert.Equal("SIGSEGV", JsonDocument.Parse(told.Body).RootElement.GetProperty("death").GetProperty("signalName").GetString());

        await ReviveAsync(id);

        Kernel back = Find(id)!;
        Assert.Equal((KernelState.Starting, 1, true, null), (back.State, back.Restarts, back.IsRevived, back.RestartDueAt));
    }

    [Fact]
    public async Task The_breaker_counts_deaths_within_its_window_also_those_before_it_was_ready()
    {
        KernelId id = await UpAsync(Plan);
        await DieAsync(id);
        await ReviveAsync(id);
        await DieAsync(id);
        Assert.Equal(KernelState.Restarting, Find(id)!.State);
        _house.Clock.Turn(TimeSpan.FromMinutes(6));
        await ReviveAsync(id);
        await DieAsync(id);
        Assert.Equal(KernelState.Restarting, Find(id)!.State);
        await ReviveAsync(id);
        await DieAsync(id);
        await ReviveAsync(id);
        await DieAsync(id);

        Assert.Equal(KernelState.Dead, Find(id)!.State);
        Assert.StartsWith("It died 3 times", Find(id)!.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, true, true)]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    public async Task Neither_an_unwanted_restart_nor_one_of_a_failed_first_start_nor_one_for_the_machine_s_fault_is_made(
        bool isWanted,
        bool wasUp,
        bool mayRestart
    )
    {
        KernelId id = wasUp
            ? await UpAsync(Plan with { IsAutoRestarted = isWanted })
            : (await AddAsync(Plan with { IsAutoRestarted = isWanted })).Id;
        await DieAsync(id, mayRestart);

        Assert.Equal((KernelState.Dead, "It was ended by SIGSEGV."), (Find(id)!.State, Find(id)!.Reason));
    }

    [Fact]
    public async Task A_kernel_that_was_stopped_while_it_waited_is_not_revived()
    {
        KernelId id = await UpAsync(Plan);
        await DieAsync(id);
        Kernel dead = Find(id)!;
        await _house.Store.WriteAsync(transaction => _ledger.Lay(transaction, id, "It was stopped on request."), TemporaryLedger.Cancel);

        Assert.Null(await _house.Store.WriteAsync(transaction => _ledger.Revive(transaction, dead), TemporaryLedger.Cancel));
        Assert.Equal(KernelState.Stopped, Find(id)!.State);
    }

    /// <summary>Whoever takes up what an earlier server decided may meet a decision twice.</summary>
    [Fact]
    public async Task A_death_that_is_met_twice_neither_restarts_it_twice_nor_hurries_the_restart_after_its_next_death()
    {
        KernelId id = await UpAsync(Plan);
        await DieAsync(id);
        Kernel dead = Find(id)!;
        await ReviveAsync(id);
        Assert.Null(await _house.Store.WriteAsync(transaction => _ledger.Revive(transaction, dead), TemporaryLedger.Cancel));
        await DieAsync(id);

        Assert.Null(await _house.Store.WriteAsync(transaction => _ledger.Revive(transaction, dead), TemporaryLedger.Cancel));
        Assert.Equal((KernelState.Restarting, 1), (Find(id)!.State, Find(id)!.Restarts));
    }

    [Fact]
    public async Task A_warm_kernel_is_heard_of_when_it_is_taken_once_and_forgotten_when_it_dies()
    {
        KernelPlan plan = new("python3", "/srv");
        KernelId id = await UpAsync(plan with { IsWarm = true });
        KernelId dies = await UpAsync(plan with { IsWarm = true });
        await DieAsync(dies);
        Assert.Empty(_house.Feed.ReadAfter(0, null, 100));
        Assert.Null(Find(dies));

        Assert.Null(await TakeAsync(id, plan with { WorkingDirectory = "/" }));
        Assert.NotNull(await TakeAsync(id, plan));
        Assert.Null(await TakeAsync(id, plan));
        Assert.Equal("kernel.running", Assert.Single(_house.Feed.ReadAfter(0, id.Value, 100)).Kind);
    }

    private Task<Kernel?> TakeAsync(KernelId id, KernelPlan plan) =>
        _house.Store.WriteAsync(transaction => _ledger.Take(transaction, id, plan), TemporaryLedger.Cancel);

    private Kernel? Find(KernelId id) => _house.Store.Read(reader => KernelsTable.Find(reader, id));

    private async Task<Kernel> AddAsync(KernelPlan plan) =>
        (await _house.Store.WriteAsync(transaction => _ledger.Add(transaction, KernelId.New(), plan), TemporaryLedger.Cancel)).Kernel;

    private async Task<KernelId> UpAsync(KernelPlan plan)
    {
        Kernel kernel = await AddAsync(plan);
        await _house.Store.WriteAsync(
            transaction => _ledger.Ready(transaction, kernel.Id, kernel.AttemptId!.Value),
            TemporaryLedger.Cancel
        );
        return kernel.Id;
    }

    private Task<Kernel?> DieAsync(KernelId id, bool mayRestart = true)
    {
        AttemptId attempt = Find(id)!.AttemptId!.Value;
        var death = new KernelDeath("signalled", null, 11, "It was ended by SIGSEGV.", 1);
        return _house.Store.WriteAsync(transaction => _ledger.Die(transaction, id, attempt, death, mayRestart), TemporaryLedger.Cancel);
    }

    private async Task ReviveAsync(KernelId id)
    {
        Kernel dead = Find(id)!;
        Assert.NotNull(await _house.Store.WriteAsync(transaction => _ledger.Revive(transaction, dead), TemporaryLedger.Cancel));
    }
}
