using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Cascades;
using Holdfast.Engine.Store;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Reactive.Cascades;

/// <summary>
/// Goal: what is called fresh has, in the kernel, the very values that running the whole notebook in a new kernel would give; a plan runs each cell once and after what it needs; and when everything stale has
/// run, nothing is. Method: random walks of edits, renames, deletions, cascades that fail or stop half-way and kernels that start anew, through the real store, beside a kernel of words.
/// </summary>
public sealed class StalenessTests
{
    private const string Path = "/n.ipynb";

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    [InlineData(7)]
    [InlineData(8)]
    public async Task What_is_fresh_is_what_a_new_kernel_would_have(int seed)
    {
        await using var walk = new Walk(seed);
        for (int step = 0; step < 60; step++)
        {
            await walk.StepAsync();
        }
    }

    private sealed class Walk(int seed) : IAsyncDisposable
    {
        private static readonly string[] Names = ["a", "b", "c", "d", "e", "f", "np*"];

        private readonly Random _random = new(seed);
        private readonly TemporaryLedger _house = new();
        private readonly CellRegistry _registry = new();
        private readonly Dictionary<CellId, string> _sources = [];
        private NaiveKernel _kernel = new();
        private AttemptId _incarnation = new(Ulid.New(TimeProvider.System));
        private readonly List<string> _story = [];

        public async Task StepAsync()
        {
            _house.Ledger.CellChanged ??= new CascadeLedger(_house.Feed).Take;
            int what = _random.Next(10);
            if (what < 5 || _sources.Count == 0)
            {
                await EditAsync(new CellId($"c{_random.Next(7)}"), RandomSource());
            }
            else if (what == 5)
            {
                await DeleteAsync(Any());
            }
            else if (what == 6)
            {
                (_kernel, _incarnation) = (new NaiveKernel(), new AttemptId(Ulid.New(TimeProvider.System)));
                _story.Add("restart");
            }
            else
            {
                CellId? target = _random.Next(2) == 0 ? Any() : null;
                await CascadeAsync(target, stopsAfter: _random.Next(3) == 0 ? _random.Next(4) : int.MaxValue, failing: _random.Next(3) == 0 ? Any() : null);
            }

            Check();
            if (_random.Next(4) == 0)
            {
                await CascadeAsync(null, int.MaxValue, null);
                Assert.DoesNotContain(Stale(), c => MayRun(c));
                Check();
            }
        }

        private CellId Any() => _sources.Keys.OrderBy(static c => c.Value, StringComparer.Ordinal).ElementAt(_random.Next(_sources.Count));

        private string RandomSource()
        {
            if (_random.Next(12) == 0)
            {
                return "!";
            }

            string[] made = [.. Enumerable.Range(0, 1 + _random.Next(2)).Select(_ => Names[_random.Next(Names.Length)]).Distinct()];
            string[] read = [.. Enumerable.Range(0, _random.Next(3)).Select(_ => Names[_random.Next(Names.Length)].TrimEnd('*')).Distinct()];
            return $"{string.Join(' ', made)} = {string.Join(' ', read)}";
        }

        private async Task EditAsync(CellId cell, string source)
        {
            _story.Add($"edit {cell}: {source}");
            _sources[cell] = source;
            _registry.Register(cell, Sources.Analysis(source));
            await RemoveGhostsAsync();
        }

        private async Task DeleteAsync(CellId cell)
        {
            _story.Add($"delete {cell}");
            _sources.Remove(cell);
            _registry.Delete(cell);
            await RemoveGhostsAsync();
        }

        private async Task RemoveGhostsAsync()
        {
            await _house.Store.WriteAsync(transaction => Ghosts.Note(transaction, Path, _registry), TemporaryLedger.Cancel);
            foreach (string name in _house.Store.Read(reader => GhostNamesTable.Of(reader, Path)))
            {
                _kernel.Names.Remove(name);
                await _house.Store.WriteAsync(transaction => GhostNamesTable.Remove(transaction, Path, name), TemporaryLedger.Cancel);
            }
        }

        private Dictionary<CellId, CascadeCell> Cells => _sources.ToDictionary(static s => s.Key, s => new CascadeCell(s.Value, 0, false) { SourceHash = SourceHash.Of(s.Value) });

        private Dictionary<CellId, CellValue> Values => _house.Store.Read(reader => CellValuesTable.Of(reader, Path));

        private HashSet<CellId> Stale() => Staleness.Of(_registry, Cells, Values, _incarnation);

        private bool MayRun(CellId cell) => _registry.State(cell).IsRunnable && _registry.Graph.Ancestors(cell).All(a => _registry.State(a).IsRunnable);

        private async Task CascadeAsync(CellId? target, int stopsAfter, CellId? failing)
        {
            HashSet<CellId> before = Stale();
            var plan = CascadePlan.For(new CascadeSubject(_registry, Cells), Values, [], [], _incarnation, target, () => new ExecutionId(Ulid.New(TimeProvider.System)));
            CellId[] order = [.. plan.Cells.Select(static c => new CellId(c.Request.CellId!))];
            _story.Add($"cascade {target} fails at {failing}, stops after {stopsAfter}: {Sources.Text(order)}");
            Assert.Equal(order.Length, order.Distinct().Count());
            Assert.All(order, (cell, i) => Assert.All(_registry.Graph.Upstream(cell), u => Assert.True(!before.Contains(u) || order.AsSpan(0, i).Contains(u), Story)));
            Assert.All(order, cell => Assert.True(MayRun(cell), Story));
            if (target is null)
            {
                Assert.All(order, cell => Assert.True(before.Contains(cell), Story)); // A cell below a stale one is stale.
            }

            var run = new Run(Ulid.New(TimeProvider.System), Path, RunState.Running, KernelId.New(), _incarnation, false, true, 0, 0) { CascadeCells = plan.Cells.Count };
            await _house.Store.WriteAsync(transaction => RunsTable.Insert(transaction, run, "here"), TemporaryLedger.Cancel);
            var unmet = new HashSet<string>();
            foreach ((ExecutionId id, CellRequest request) in plan.Cells.Take(stopsAfter))
            {
                if (request.After!.Any(unmet.Contains))
                {
                    unmet.Add(id.Value);
                    continue;
                }

                bool fails = request.CellId == failing?.Value;
                _kernel.Run(request.Source, fails);
                if (fails)
                {
                    unmet.Add(id.Value);
                }

                await _house.Store.WriteAsync(
                    transaction =>
                    {
                        _house.Ledger.Add(
                            transaction,
                            _house.Draft(ExecutionKind.Cell, _incarnation) with { Id = id, RunId = run.Id, CellId = request.CellId, CellIndex = 0, Place = 0 },
                            JsonSerializer.Serialize(request, CellJson.Default.CellRequest));
                        Assert.NotNull(_house.Ledger.StartCell(transaction, id, _incarnation, 1, 1));
                        var outcome = new Outcome(fails ? ExecutionState.Failed : ExecutionState.Succeeded, null, null, fails ? "error" : "ok", null, 2);
                        Assert.NotNull(_house.Ledger.FinishCell(transaction, id, _incarnation, outcome, 2));
                    },
                    TemporaryLedger.Cancel);
            }
        }

        private string Story => string.Join('\n', _story);

        private void Check()
        {
            var whole = new NaiveKernel();
            foreach (CellId cell in _registry.Graph.TopologicalOrder.Where(MayRun))
            {
                whole.Run(_sources[cell]);
            }

            HashSet<CellId> stale = Stale();
            foreach (CellId cell in _sources.Keys.Where(c => !stale.Contains(c)))
            {
                Assert.True(MayRun(cell), $"{cell} is fresh and may not run.\n{Story}");
                foreach (string name in _registry.Graph.Registration(cell).Definitions)
                {
                    Assert.True(whole.Names[name] == _kernel.Names.GetValueOrDefault(name), $"{cell} is called fresh, and its {name} is not.\n{Story}");
                }
            }

            foreach (string name in _kernel.Names.Keys)
            {
                Assert.True(_registry.Graph.DefinerOf(name) is not null || _registry.Pending.Count > 0, $"{name} is a ghost.\n{Story}");
            }
        }

        public ValueTask DisposeAsync() => _house.DisposeAsync();
    }
}
