using Holdfast.Engine.Assets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks.Outputs;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// One notebook run while it goes on: folds the messages of its cells into outputs and keeps each cell's state, as the feed tells it. It is
/// rebuilt from the store and the journal at any time: nothing in here is the only copy of anything.
/// </summary>
internal sealed class ActiveRun : IKernelListener
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, RunCell> _byExecution = []; // guarded by _lock, as are the cells in it
    private readonly TaskCompletionSource _handedOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<string> _unwanted = []; // guarded by _lock
    private readonly TaskCompletionSource _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private sealed class RunCell(Execution execution, CellRequest request, DisplayRegistry displays, OutputSpools? spools)
    {
        public ExecutionId Id { get; } = execution.Id;
        public CellRequest Request { get; } = request;
        public OutputFold Fold { get; } = new(displays, spools);
        public ExecutionState State { get; set; } = execution.State;
        public bool HasStarted { get; set; } = execution.StartedAt is not null;

        /// <summary>
        /// What the last <see cref="WriteTo"/> put into the notebook, and what of that is known to be on disk: the cell may change in
        /// between.
        /// </summary>
        public (long Version, ExecutionState State, bool IsWhole) Written { get; set; } = (-1, execution.State, false);
        public (long Version, ExecutionState State, bool IsWhole) Saved { get; set; } = (-1, execution.State, false);
    }

    public ActiveRun(Run run, IEnumerable<(Execution Execution, CellRequest Request)> cells, OutputSpools? spools = null)
    {
        Run = run;
        var displays = new DisplayRegistry();
        foreach ((Execution execution, CellRequest request) in cells)
        {
            _byExecution[execution.Id.Value] = new RunCell(execution, request, displays, spools);
        }

        CompleteIfDone();
    }

    public Run Run { get; private set; }

    public void Move(string from, string to)
    {
        if (Run.Path == from || Run.Path.StartsWith(from + "/", StringComparison.Ordinal))
        {
            Run = Run with { Path = to + Run.Path[from.Length..] };
        }
    }

    /// <summary>Completes when every cell has ended or is blocked.</summary>
    public Task Done => _done.Task;

    /// <summary>Completes when the supervisor knows of every cell, or will never need to.</summary>
    public Task HandedOver => _handedOver.Task;

    /// <summary>These are not to be handed over any more, if they were not yet.</summary>
    public void Unwant(IEnumerable<ExecutionId> cells)
    {
        lock (_lock)
        {
            _unwanted.UnionWith(cells.Select(static c => c.Value));
        }
    }

    public bool IsUnwanted(ExecutionId cell)
    {
        lock (_lock)
        {
            return _unwanted.Contains(cell.Value);
        }
    }

    public void MarkHandedOver() => _handedOver.TrySetResult();

    /// <summary>Completes at the next change worth saving. Take it before saving.</summary>
    public Task Changed => _changed.Task;

    /// <summary>Of its own cells, as far as the notebook will hold it.</summary>
    public bool WantsWhole(LargeMessage message)
    {
        lock (_lock)
        {
            return _byExecution.TryGetValue(message.Head.ParentMessageId, out RunCell? cell) && cell.Fold.Takes(message);
        }
    }

    public void TakePiece(LargeMessage message, ReadOnlySpan<byte> content)
    {
        lock (_lock)
        {
            if (_byExecution.TryGetValue(message.Head.ParentMessageId, out RunCell? cell))
            {
                cell.Fold.ApplyPiece(message, content);
            }
        }
    }

    public void Take(in KernelMessage message)
    {
        JupyterMessage jupyter = message.Message;
        lock (_lock)
        {
            if (message.Channel == JournalChannel.ShellRequest)
            {
                if (_byExecution.TryGetValue(jupyter.MessageId, out RunCell? sent))
                {
                    sent.HasStarted = true;
                    Signal();
                }

                return;
            }

            if (!_byExecution.TryGetValue(jupyter.ParentMessageId, out RunCell? cell))
            {
                return;
            }

            if (message.IsPartial)
            {
                cell.Fold.EndPieces(jupyter.MessageType);
            }
            else if (message.Channel == JournalChannel.IoPub)
            {
                cell.Fold.ApplyIoPub(jupyter.MessageType, jupyter.Header.Date, jupyter.Content.Span);
            }
            else if (message.Channel == JournalChannel.Shell && jupyter.MessageType == "execute_reply")
            {
                cell.Fold.ApplyReply(jupyter.Header.Date, jupyter.Content.Span);
            }

            Signal();
        }
    }

    public void OnPublished(FeedEvent published)
    {
        lock (_lock)
        {
            if (
                _byExecution.TryGetValue(published.Subject, out RunCell? cell)
                && ExecutionStates.TryParse(published.Kind["execution.".Length..], out ExecutionState state)
            )
            {
                cell.State = state;
                Signal();
                CompleteIfDone();
            }
        }
    }

    /// <summary>
    /// Writes what has changed since the last call into the notebook, cell by cell; a cell whose source was edited since it was sent keeps
    /// what the file says, since the outputs are not of what it now holds. Returns how many cells were passed over for that.
    /// </summary>
    /// <param name="inlineBytesMax">For a value that is longer, a text stands in the notebook: where it is kept, if that is known by
    /// now.</param>
    public int WriteTo(NotebookFile notebook, int inlineBytesMax = int.MaxValue)
    {
        int edited = 0;
        lock (_lock)
        {
            foreach (RunCell cell in _byExecution.Values)
            {
                var now = (cell.Fold.Version, cell.State, cell.Fold.Unkept(inlineBytesMax).Count == 0);
                if (!cell.HasStarted || cell.Saved == now)
                {
                    continue;
                }

                if (Find(notebook, cell.Request) is { } target)
                {
                    target.SetResult(cell.Fold, inlineBytesMax);
                    target.SetMark(new CellMark(cell.Id.Value, cell.State.Name()));
                    cell.Written = now;
                }
                else
                {
                    cell.Written = cell.Saved; // What an attempt wrote before, whose save was overtaken by the edit, is on no disk.
                    edited++;
                }
            }
        }

        return edited;
    }

    /// <summary>The cells of which something is too large for the notebook and nowhere kept.</summary>
    public List<ExecutionId> Owing(int inlineBytesMax)
    {
        lock (_lock)
        {
            return
            [
                .. _byExecution
                    .Values.Where(cell => cell.HasStarted && cell.Fold.Unkept(inlineBytesMax).Count > 0)
                    .Select(static cell => cell.Id),
            ];
        }
    }

    /// <summary>
    /// What cells that are over have said and is too large for the notebook, to be kept elsewhere before it is saved. Of those that run it
    /// would be another asset with each second.
    /// </summary>
    public List<LargeOutput> TakeLargeOutputs(int inlineBytesMax)
    {
        lock (_lock)
        {
            return
            [
                .. from cell in _byExecution.Values
                where cell.HasStarted && cell.State.IsSettled()
                from value in cell.Fold.Unkept(inlineBytesMax)
                let now = value.Open() // While nothing is added to it.
                select new LargeOutput(
                    cell.Id,
                    () => now,
                    value.MediaType,
                    mark =>
                    {
                        lock (_lock)
                        {
                            value.Accept(mark);
                        }
                    }
                ),
            ];
        }
    }

    /// <summary>To be called when what <see cref="WriteTo"/> wrote is safely on disk; until then it is written again each time.</summary>
    public void MarkSaved()
    {
        lock (_lock)
        {
            foreach (RunCell cell in _byExecution.Values)
            {
                cell.Saved = cell.Written;
            }
        }
    }

    /// <summary>What the cells' states make of the run: an error that was allowed does not fail it.</summary>
    public (RunState State, string? Reason) Outcome()
    {
        lock (_lock)
        {
            RunCell[] cells = [.. _byExecution.Values];
            foreach ((ExecutionState state, RunState outcome) in Verdicts)
            {
                if (Array.Find(cells, c => c.State == state && !(state == ExecutionState.Failed && c.Request.AllowsError)) is { } cell)
                {
                    return (
                        outcome,
                        $"Cell {(Run.IsCascade ? cell.Request.CellId : null) ?? $"{cell.Request.Index}"} {(state == ExecutionState.Lost ? "was lost" : state.Name())}."
                    );
                }
            }

            return (RunState.Succeeded, null);
        }
    }

    private static readonly (ExecutionState, RunState)[] Verdicts =
    [
        (ExecutionState.Lost, RunState.Lost),
        (ExecutionState.Failed, RunState.Failed),
        (ExecutionState.Cancelled, RunState.Cancelled),
    ];

    private static NotebookCell? Find(NotebookFile notebook, CellRequest request)
    {
        NotebookCell? cell =
            request.CellId is { } id ? notebook.Cells.FirstOrDefault(c => c.Id == id)
            : request.Index < notebook.Cells.Count ? notebook.Cells[request.Index]
            : null;
        return cell is { IsCode: true } && cell.Source == request.Source ? cell : null;
    }

    private void CompleteIfDone()
    {
        if (_byExecution.Values.All(c => c.State.IsSettled()))
        {
            _done.TrySetResult();
        }
    }

    private void Signal()
    {
        if (!_changed.Task.IsCompleted)
        {
            _changed.TrySetResult();
        }
    }

    /// <summary>Arms <see cref="Changed"/> again.</summary>
    public void ResetChanged() => _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
}
