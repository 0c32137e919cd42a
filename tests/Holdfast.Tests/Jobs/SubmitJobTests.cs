using Holdfast.Engine;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Jobs;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Jobs;

public sealed class SubmitJobTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private readonly SubmitJob _submit;

    public SubmitJobTests() =>
        _submit = new SubmitJob(_house.Store, _house.Ledger, new CallbackCheck(new AddressGuard([])), _house.Meters, _house.Time);

    public ValueTask DisposeAsync() => _house.DisposeAsync();

    [Fact]
    public async Task The_id_that_is_returned_is_in_the_store_with_its_request()
    {
        SubmittedJob submitted = await SubmitAsync(
            Echo("x") with
            {
                Name = "n",
                Labels = new Dictionary<string, string> { ["a"] = "b" },
            }
        );

        Assert.False(submitted.IsRepeat);
        Execution found = _house.Find(submitted.Execution.Id);
        Assert.Equal((ExecutionState.Queued, "n", "b"), (found.State, found.Name, found.Labels["a"]));
        Assert.Equal(
            """{"argv":["echo","x"],"name":"n","openStdin":false,"labels":{"a":"b"}}""",
            _house.Store.Read(reader => ExecutionsTable.ReadRequest(reader, found.Id))
        );
    }

    [Fact]
    public async Task The_same_key_and_request_again_is_the_same_execution_and_no_event()
    {
        SubmittedJob first = await SubmitAsync(Echo("x"), "key");
        SubmittedJob again = await SubmitAsync(Echo("x"), "key");

        Assert.Equal((first.Execution.Id, true), (again.Execution.Id, again.IsRepeat));
        Assert.Equal(["queued"], _house.History(first.Execution.Id));
    }

    [Fact]
    public async Task The_same_key_with_another_request_is_refused_and_names_the_execution_it_made()
    {
        SubmittedJob first = await SubmitAsync(Echo("x"), "key");
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() => SubmitAsync(Echo("y"), "key"));

        Assert.Equal(ErrorCodes.IdempotencyConflict, refused.Code);
        Assert.Contains(first.Execution.Id.Value, refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, Count());
    }

    [Fact]
    public async Task Without_a_key_the_same_request_is_new_work_each_time()
    {
        await SubmitAsync(Echo("x"));
        await SubmitAsync(Echo("x"));
        Assert.Equal(2, Count());
    }

    [Fact]
    public async Task Fifty_callers_with_one_key_at_once_make_one_row()
    {
        SubmittedJob[] all = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => SubmitAsync(Echo("x"), "key"))));

        Assert.Single(all.Select(static s => s.Execution.Id).Distinct());
        Assert.Equal(49, all.Count(static s => s.IsRepeat));
        Assert.Equal(1, Count());
    }

    [Fact]
    public async Task A_refused_request_leaves_its_key_free()
    {
        await Assert.ThrowsAsync<RefusedException>(() => SubmitAsync(new JobRequest { Argv = [] }, "key"));
        Assert.False((await SubmitAsync(Echo("x"), "key")).IsRepeat);
    }

    private static JobRequest Echo(string text) => new() { Argv = ["echo", text] };

    private Task<SubmittedJob> SubmitAsync(JobRequest request, string? key = null) =>
        _submit.RunAsync(request, key, TemporaryLedger.Cancel);

    private int Count() => _house.Store.Read(reader => ExecutionsTable.Page(reader, new ExecutionFilter { Limit = 1000 })).Count;
}
