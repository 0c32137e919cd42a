using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Sessions;
using Holdfast.Engine.Store;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Sessions;

/// <summary>What is stored together with a session.</summary>
public sealed class SessionLedgerTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private readonly SessionLedger _ledger;
    private readonly KernelLedger _kernels;

    public SessionLedgerTests()
    {
        _ledger = new SessionLedger(_house.Feed, _house.Directory, "here", _house.Clock);
        _kernels = new KernelLedger(_house.Ledger, _house.Feed, new RestartPolicy(), "here", _house.Clock);
    }

    public ValueTask DisposeAsync()
    {
        _ledger.Dispose();
        return _house.DisposeAsync();
    }

    [Fact]
    public async Task A_notebooks_session_says_which_kernels_run_the_file_and_a_consoles_does_not()
    {
        File.CreateSymbolicLink(Path.Combine(_house.Directory, "link.ipynb"), Path.Combine(_house.Directory, "real.ipynb"));
        await File.WriteAllTextAsync(Path.Combine(_house.Directory, "real.ipynb"), "{}", TemporaryLedger.Cancel);
        KernelId first = await KernelAsync();
        KernelId second = await KernelAsync();
        Session session = _ledger.WithFile(new Session(SessionId.New(), "link.ipynb", "link.ipynb", "notebook", first, 1));
        Session console = _ledger.WithFile(new Session(SessionId.New(), "console-1", "console-1", "console", first, 1));

        await _house.Store.WriteAsync(transaction => _ledger.Add(transaction, session), TemporaryLedger.Cancel);
        await _house.Store.WriteAsync(transaction => _ledger.Add(transaction, console), TemporaryLedger.Cancel);
        await _house.Store.WriteAsync(
            transaction => _ledger.Change(transaction, session with { KernelId = second }),
            TemporaryLedger.Cancel
        );

        string file = Path.Combine(_house.Directory, "real.ipynb");
        Assert.Equal(new[] { (file, first.Value), (file, second.Value) }.Order(), Bound().Order());
        Assert.Equal(["session.started", "session.changed"], _house.Feed.ReadAfter(0, session.Id.Value, 10).Select(static e => e.Kind));
    }

    [Fact]
    public async Task A_session_that_is_over_gives_way_to_a_new_one_of_its_path()
    {
        KernelId kernel = await KernelAsync();
        var over = new Session(SessionId.New(), "a.ipynb", "a", "notebook", new KernelId(Guid.NewGuid().ToString()), 1);
        var next = new Session(SessionId.New(), "a.ipynb", "a", "notebook", kernel, 2);
        await _house.Store.WriteAsync(transaction => _ledger.Add(transaction, over), TemporaryLedger.Cancel);
        Assert.Null(_house.Store.Read(reader => SessionsTable.OfPath(reader, "a.ipynb")));

        await _house.Store.WriteAsync(transaction => _ledger.Add(transaction, next), TemporaryLedger.Cancel);

        Assert.Equal(next.Id, _house.Store.Read(reader => SessionsTable.OfPath(reader, "a.ipynb"))!.Id);
        Assert.Null(_house.Store.Read(reader => SessionsTable.Find(reader, over.Id)));
    }

    private Task<KernelId> KernelAsync() =>
        _house.Store.WriteAsync(
            transaction => _kernels.Add(transaction, KernelId.New(), new KernelPlan("python3", "/srv")).Kernel.Id,
            TemporaryLedger.Cancel
        );

    private List<(string, string)> Bound() =>
        _house.Store.Read(reader =>
        {
            var rows = new List<(string, string)>();
            using Statement select = reader.Prepare("SELECT path, kernel_id FROM notebook_kernels");
            while (select.Step())
            {
                rows.Add((select.Text(0), select.Text(1)));
            }

            return rows;
        });
}
