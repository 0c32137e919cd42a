using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Cascades;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Store;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Reactive.Cascades;

/// <summary>
/// Goal: what is called fresh has, in the kernel, the very values that running the whole notebook in a new kernel would give; a plan runs
/// each cell once and after what it needs; and when everything stale has run, nothing is. Method: random walks of edits, renames,
/// deletions, cascades that fail or stop half-way, runs of clients past them, and kernels that start anew, through the real store, beside a
/// kernel of words.
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
        private readonly KernelId _kernelId = KernelId.New();
        private AttemptId _incarnation = new(Ulid.New(TimeProvider.System));
        private long _position; // In the kernel's journal.
        private readonly List<string> _story = [];
        private readonly HashSet<string> _outside = []; // Names that clients have written: no cell's, where it is not its cell's.

        public async Task StepAsync()
        {
            _house.Ledger.CellChanged ??= new CascadeLedger(_house.Feed).Take;
            int what = _random.Next(12);
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
                _outside.Clear();
                _story.Add("restart");
            }
            else if (what >= 10)
            {
                CellId cell = Any();
                await RunPastAsync(
                    cell,
                    _random.Next(2) == 0 ? RandomSource() : _sources[cell],
                    fails: _random.Next(4) == 0,
                    saysCell: _random.Next(4) > 0
                );
            }
            else
            {
                CellId? target = _random.Next(2) == 0 ? Any() : null;
                List<CellId>? edited = target is null && _random.Next(2) == 0 ? [Any(), Any()] : null;
                await CascadeAsync(
                    target,
                    stopsAfter: _random.Next(3) == 0 ? _random.Next(4) : int.MaxValue,
                    failing: _random.Next(3) == 0 ? Any() : null,
                    edited
                );
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

            // Not its own names: such a cell is another with each run, in the real kernel as well.
            string[] read =
            [
                .. Enumerable
                    .Range(0, _random.Next(3))
                    .Select(_ => Names[_random.Next(Names.Length)].TrimEnd('*'))
                    .Except(made.Select(static m => m.TrimEnd('*')))
                    .Distinct(),
            ];
            return $"{string.Join(' ', made)} = {string.Join(' ', read)}";
        }

        /// <summary>A client runs a text of a cell, or of none; what is not registered is.</summary>
        private async Task RunPastAsync(CellId cell, string source, bool fails, bool saysCell)
        {
            CellAnalysis analysis = Sources.Analysis(source);
            if (analysis.Error is not null)
            {
                return; // It does not run.
            }

            _outside.UnionWith(analysis.Definitions);

            _story.Add($"a client runs {(saysCell ? cell : "no cell")}: {source}, fails {fails}");
            _kernel.Run(source, fails);
            Execution execution = await _house.Store.WriteAsync(
                transaction =>
                {
                    ReactiveKernelsTable.Put(transaction, Path, _kernelId);
                    Execution draft = _house.Draft(ExecutionKind.Cell, _incarnation) with
                    {
                        KernelId = _kernelId.Value,
                        CellId = saysCell ? cell.Value : null,
                    };
                    _house.Ledger.Add(transaction, draft, "{}");
                    Assert.NotNull(_house.Ledger.StartCell(transaction, draft.Id, _incarnation, 1, ++_position));
                    return _house.Ledger.FinishCell(
                        transaction,
                        draft.Id,
                        _incarnation,
                        new Outcome(fails ? ExecutionState.Failed : ExecutionState.Succeeded, null, null, "ok", null, 2),
                        ++_position
                    )!;
                },
                TemporaryLedger.Cancel
            );
            if (saysCell && source != _sources[cell])
            {
                _sources[cell] = source;
                _registry.Register(cell, analysis);
            }

            await RemoveGhostsAsync(); // Before the run counts, as in the product.
            string[] written = [.. analysis.Definitions.Concat(analysis.Deletions).Distinct()];
            var run = new ClientRun(
                new CellId(execution.CellId ?? execution.Id.Value),
                saysCell ? cell : null,
                execution,
                SourceHash.Of(source),
                written
            );
            await _house.Store.WriteAsync(
                transaction =>
                {
                    ClientRuns.Settle(transaction, Path, new CascadeSubject(_registry, Cells) { Runs = [run] }, _incarnation, _house.Feed);
                    ReactiveEditsTable.Clear(transaction, Path);
                },
                TemporaryLedger.Cancel
            );
            Assert.Empty(_house.Store.Read(reader => ReactiveEditsTable.Of(reader, Path)));
            await RemoveGhostsAsync();
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

        private Dictionary<CellId, CascadeCell> Cells =>
            _sources.ToDictionary(static s => s.Key, s => new CascadeCell(s.Value, 0, false) { SourceHash = SourceHash.Of(s.Value) });

        private Dictionary<CellId, CellValue> Values => _house.Store.Read(reader => CellValuesTable.Of(reader, Path));

        private HashSet<CellId> Stale() => Staleness.Of(_registry, Cells, Values, _incarnation);

        private bool MayRun(CellId cell) =>
            _registry.Graph.Ancestors(cell).Append(cell).All(c => _registry.State(c).IsRunnable && _registry.MissingSource(c) is null);

        /// <param name="edited">What autorun would run for edits of these.</param>
        private async Task CascadeAsync(CellId? target, int stopsAfter, CellId? failing, List<CellId>? edited = null)
        {
            HashSet<CellId> before = Stale();
            var plan = CascadePlan.For(
                new CascadeSubject(_registry, Cells),
                Values,
                [],
                [],
                _incarnation,
                target,
                () => new ExecutionId(Ulid.New(TimeProvider.System)),
                edited
            );
            CellId[] order = [.. plan.Cells.Select(static c => new CellId(c.Request.CellId!))];
            _story.Add($"cascade {target} fails at {failing}, stops after {stopsAfter}: {Sources.Text(order)}");
            Assert.Equal(order.Length, order.Distinct().Count());
            Assert.All(
                order,
                (cell, i) =>
                    Assert.All(
                        _registry.Graph.Upstream(cell),
                        u => Assert.True(!before.Contains(u) || order.AsSpan(0, i).Contains(u), Story)
                    )
            );
            Assert.All(order, cell => Assert.True(MayRun(cell), Story));
            if (target is null)
            {
                Assert.All(order, cell => Assert.True(before.Contains(cell), Story)); // A cell below a stale one is stale.
            }

            if (edited is not null)
            {
                HashSet<CellId> follow =
                [
                    .. edited.SelectMany(e => _registry.Graph.Descendants(e).Append(e)).Where(c => before.Contains(c) && MayRun(c)),
                ];
                Assert.All(follow, cell => Assert.Contains(cell, order));
                Assert.All(
                    order,
                    cell => Assert.True(follow.Contains(cell) || _registry.Graph.Descendants(cell).Any(follow.Contains), Story)
                );
            }

            var run = new Run(Ulid.New(TimeProvider.System), Path, RunState.Running, KernelId.New(), _incarnation, false, true, 0, 0)
            {
                CascadeCells = plan.Cells.Count,
            };
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
                            _house.Draft(ExecutionKind.Cell, _incarnation) with
                            {
                                Id = id,
                                RunId = run.Id,
                                CellId = request.CellId,
                                CellIndex = 0,
                                Place = 0,
                            },
                            JsonSerializer.Serialize(request, CellJson.Default.CellRequest)
                        );
                        var start = new CellStart(1, ++_position);
                        bool isAtOnce = _random.Next(2) == 0;
                        if (!isAtOnce)
                        {
                            Assert.NotNull(_house.Ledger.StartCell(transaction, id, _incarnation, start.AtMicroseconds, start.Position));
                        }

                        var outcome = new Outcome(
                            fails ? ExecutionState.Failed : ExecutionState.Succeeded,
                            null,
                            null,
                            fails ? "error" : "ok",
                            null,
                            2
                        );
                        Assert.NotNull(
                            _house.Ledger.FinishCell(transaction, id, _incarnation, outcome, ++_position, isAtOnce ? start : null)
                        );
                    },
                    TemporaryLedger.Cancel
                );
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
                foreach (string name in ReadsOutside(cell) ? [] : _registry.Graph.Registration(cell).Definitions)
                {
                    Assert.True(
                        whole.Names[name] == _kernel.Names.GetValueOrDefault(name),
                        $"{cell} is called fresh, and its {name} is not.\n{Story}"
                    );
                }
            }

            foreach (string name in _kernel.Names.Keys)
            {
                Assert.True(
                    _registry.Graph.DefinerOf(name) is not null || _registry.Pending.Count > 0 || _outside.Contains(name),
                    $"{name} is a ghost.\n{Story}"
                );
            }
        }

        /// <summary>
        /// It, or what it needs, reads a name that no cell makes and a client has written: a new kernel does not have that.
        /// </summary>
        private bool ReadsOutside(CellId cell) =>
            _registry
                .Graph.Ancestors(cell)
                .Append(cell)
                .Any(c => _registry.Graph.Registration(c).References.Any(n => _outside.Contains(n) && !_registry.Graph.IsDefined(n)));

        public ValueTask DisposeAsync() => _house.DisposeAsync();
    }
}
