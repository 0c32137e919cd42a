using Holdfast.Engine.Assets;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Engine.Notebooks.Outputs;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// What the cells of a notebook said since its file was written, put into it:
/// 1. the executions of this notebook that ended later, or run still; 2. for each the cell with its id, or, when the client sent none, the
/// one code cell with its source;
/// 3. the latest of each cell counts; 4. when the source is still what ran, its outputs, count and times, folded from where its request
/// stands in the journal; when not, the file's outputs stand, and the cell's metadata tells of the conflict. 5. Where such outputs show
/// widgets, their state is put into the notebook's metadata.
/// 6. Cells of which something could not be kept as an asset when they were saved are put in again once it is.
/// </summary>
public sealed class UnsavedResults
{
    /// <summary>
    /// A client may save in the moment between a cell's end and its last message's arrival there. Executions that ended shortly before a
    /// save are looked at too, and count if the file does not have their execution count.
    /// </summary>
    private static readonly TimeSpan Doubt = TimeSpan.FromSeconds(1);

    private const long NanosecondsPerMicrosecond = 1000;

    private readonly StateStore _store;
    private readonly AttemptFolders _folders;
    private readonly OutputAssets? _assets;

    internal UnsavedResults(StateStore store, AttemptFolders folders, OutputAssets? assets = null) =>
        (_store, _folders, _assets) = (store, folders, assets);

    private sealed record Match(NotebookCell Cell, LaterExecution Later, OutputFold Fold, bool IsOwed);

    /// <summary>Changes the notebook in memory only, and tells what it did, by the cells' order.</summary>
    /// <param name="path">Absolute, as it was asked for.</param>
    /// <param name="realPath">The file's own path, links followed.</param>
    /// <param name="tellsConflicts">Whether a conflict is put into the cell's metadata.</param>
    public IReadOnlyList<RestoredCell> ApplyTo(
        NotebookFile notebook,
        string path,
        string realPath,
        long modifiedNanoseconds,
        bool tellsConflicts = true
    ) => ApplyTo(notebook, path, realPath, modifiedNanoseconds, tellsConflicts, out _);

    /// <param name="unkept">Outputs that are too large for the notebook and are nowhere kept yet: when they are, the same call finds
    /// them.</param>
    internal IReadOnlyList<RestoredCell> ApplyTo(
        NotebookFile notebook,
        string path,
        string realPath,
        long modifiedNanoseconds,
        bool tellsConflicts,
        out List<LargeOutput> unkept
    )
    {
        unkept = [];
        long savedAt = modifiedNanoseconds / NanosecondsPerMicrosecond;
        string[] cellIds = [.. notebook.Cells.Where(static c => c.IsCode).Select(static c => c.Id).OfType<string>()];
        HashSet<string> owed = _store.Read(reader => OwedOutputsTable.Of(reader, path, realPath));
        long after = savedAt - (long)Doubt.TotalMicroseconds;
        List<LaterExecution> later = _store
            .Read(reader => LaterExecutionsTable.Find(reader, path, realPath, cellIds, owed.Count > 0 ? 0 : after))
            .ConvertAll(WithSource);
        if (later.Count == 0)
        {
            return [];
        }

        var restored = new List<RestoredCell>();
        var matches = new List<Match>();
        var displays = new Dictionary<string, DisplayRegistry>();
        foreach ((NotebookCell cell, LaterExecution latest) in LatestOfCells(notebook, later))
        {
            bool isOwed =
                owed.Contains(latest.Execution.Id.Value)
                && cell.Mark?.ExecutionId == latest.Execution.Id.Value
                && cell.Source == latest.Source
                && Directory.Exists(new AttemptFiles(_folders.Of(latest.Execution.AttemptId!.Value)).Journal);
            if (!isOwed && latest.Execution.FinishedAt <= after)
            {
                continue; // Looked up for what is owed only.
            }

            if (
                !isOwed
                && cell.Mark is { } mark
                && mark.ExecutionId == latest.Execution.Id.Value
                && mark.State == latest.Execution.State.Name()
                && latest.IsOver
            )
            {
                continue; // The file has it.
            }

            if (cell.Source != latest.Source)
            {
                if (tellsConflicts)
                {
                    cell.SetConflict(new CellMark(latest.Execution.Id.Value, latest.Execution.State.Name()));
                }

                restored.Add(Tell(cell, latest, CellRecovery.Conflict));
                continue;
            }

            matches.Add(new Match(cell, latest, new OutputFold(DisplaysOf(latest, displays), _assets?.Spools), isOwed));
        }

        Fold(matches);
        List<Match> unknown = matches.FindAll(m => m.IsOwed || !IsKnown(m, savedAt));
        RestoreWidgets(notebook, unknown);
        foreach (Match match in unknown)
        {
            if (match.Later.IsOver && _assets is not null)
            {
                unkept.AddRange(
                    match
                        .Fold.Unkept(_assets.InlineBytesMax)
                        .Select(value => new LargeOutput(match.Later.Execution.Id, value.Open, value.MediaType, value.Accept))
                        .Where(output => !_assets.TryAccept(output))
                );
            }

            if (match.IsOwed && match.Fold.Unkept(_assets?.InlineBytesMax ?? int.MaxValue).Count > 0)
            {
                continue; // The file says so already.
            }

            match.Cell.SetResult(match.Fold, _assets?.InlineBytesMax ?? int.MaxValue);
            match.Cell.SetMark(new CellMark(match.Later.Execution.Id.Value, match.Later.Execution.State.Name()));
            restored.Add(Tell(match.Cell, match.Later, CellRecovery.Restored));
        }

        restored.Sort(static (a, b) => a.Index.CompareTo(b.Index));
        return restored;
    }

    /// <summary>Nothing is owed to a notebook any more but what these hold.</summary>
    internal async Task SettleAsync(string path, string realPath, IReadOnlyCollection<LargeOutput> unkept)
    {
        HashSet<string> owed = _store.Read(reader => OwedOutputsTable.Of(reader, path, realPath));
        owed.ExceptWith(unkept.Select(static o => o.Execution.Value));
        if (owed.Count > 0)
        {
            await _store.WriteAsync(
                transaction =>
                {
                    foreach (string execution in owed)
                    {
                        OwedOutputsTable.Forget(transaction, execution);
                    }
                },
                CancellationToken.None
            );
        }
    }

    /// <summary>
    /// A notebook was renamed, or a folder: what its kernels said is looked for under the new name. A crash just before leaves it under the
    /// old one, where nobody looks.
    /// </summary>
    internal Task MovedAsync(string realPath, string newPath) =>
        _store.WriteAsync(
            transaction =>
            {
                NotebookKernelsTable.Move(transaction, realPath, newPath);
                OwedOutputsTable.Move(transaction, realPath, newPath);
            },
            CancellationToken.None
        );

    internal Task DeletedAsync(string realPath) =>
        _store.WriteAsync(transaction => NotebookKernelsTable.Forget(transaction, realPath), CancellationToken.None);

    /// <summary>Very long code is not in the store; the request in the journal has it.</summary>
    private LaterExecution WithSource(LaterExecution later)
    {
        string journal = new AttemptFiles(_folders.Of(later.Execution.AttemptId!.Value)).Journal;
        if (later.Source is not null || !Directory.Exists(journal))
        {
            return later;
        }

        using JournalReader reader = JournalReader.Open(journal, later.Execution.StartPosition);
        var joiner = new PayloadJoiner(KernelLimits.MessageBytesMax);
        while (reader.TryRead(out JournalRecord record))
        {
            if (record.Channel != JournalChannel.ShellRequest)
            {
                continue;
            }

            switch (joiner.Join(record, out ReadOnlyMemory<byte> payload))
            {
                case PayloadState.Incomplete:
                    break;
                case PayloadState.Whole when JupyterMessage.TryParse(payload) is { } message && message.MessageId == later.MessageId:
                    return later with { Source = JupyterJson.GetText(message.Content.Span, "code"u8) };
                default:
                    return later;
            }
        }

        return later;
    }

    private static RestoredCell Tell(NotebookCell cell, LaterExecution later, CellRecovery recovery) =>
        new(cell.Index, cell.Id, later.Execution.Id.Value, later.Execution.State.Name(), recovery);

    private static bool IsKnown(Match match, long savedAt) =>
        match.Later.Execution.FinishedAt is { } finished && finished <= savedAt && match.Cell.ExecutionCount == match.Fold.ExecutionCount;

    private static IEnumerable<(NotebookCell Cell, LaterExecution Latest)> LatestOfCells(NotebookFile notebook, List<LaterExecution> later)
    {
        var latest = new Dictionary<int, LaterExecution>();
        foreach (LaterExecution execution in later)
        {
            if (CellOf(notebook, execution) is { IsCode: true } cell)
            {
                latest[cell.Index] = execution;
            }
        }

        return latest.OrderBy(static l => l.Key).Select(l => (notebook.Cells[l.Key], l.Value));
    }

    private static NotebookCell? CellOf(NotebookFile notebook, LaterExecution later)
    {
        Execution execution = later.Execution;
        if (execution.CellId is { } id)
        {
            return notebook.Cells.FirstOrDefault(c => c.Id == id);
        }

        if (execution.CellIndex is { } index)
        {
            return index < notebook.Cells.Count ? notebook.Cells[index] : null; // A run of a notebook whose cells have no ids.
        }

        // The client told no cell: the source must tell it, and alone.
        NotebookCell[] same = [.. notebook.Cells.Where(c => c.IsCode && c.Source == later.Source).Take(2)];
        return same.Length == 1 ? same[0] : null;
    }

    /// <summary>Updates of a display reach every cell that shows it, among those that ran in the same kernel.</summary>
    private static DisplayRegistry DisplaysOf(LaterExecution later, Dictionary<string, DisplayRegistry> displays)
    {
        string attempt = later.Execution.AttemptId!.Value.Value;
        return displays.TryGetValue(attempt, out DisplayRegistry? shared) ? shared : displays[attempt] = new DisplayRegistry();
    }

    private void Fold(List<Match> matches)
    {
        foreach (IGrouping<string, Match> incarnation in matches.GroupBy(static m => m.Later.Execution.AttemptId!.Value.Value))
        {
            string journal = new AttemptFiles(_folders.Of(new AttemptId(incarnation.Key))).Journal;
            if (!Directory.Exists(journal))
            {
                continue;
            }

            var folds = incarnation.ToDictionary(static m => m.Later.MessageId, static m => m.Fold);
            foreach ((long start, long end) in Ranges(incarnation))
            {
                Read(journal, start, end, folds);
            }
        }
    }

    /// <summary>A view of a widget shows nothing without the state that its kernel's comms have had since.</summary>
    private void RestoreWidgets(NotebookFile notebook, List<Match> shown)
    {
        foreach (
            AttemptId incarnation in shown
                .Where(static m => m.Fold.HasWidgetViews)
                .Select(static m => m.Later.Execution.AttemptId!.Value)
                .Distinct()
        )
        {
            IReadOnlyList<OpenComm> comms = new CommReader(new AttemptFiles(_folders.Of(incarnation)).Journal).Read();
            notebook.SetWidgetState(WidgetState.ToJson(comms, notebook.WidgetState));
        }
    }

    /// <summary>
    /// The stretches of a journal that have to be read: from requests to their ends, joined where they overlap, in order. An execution that
    /// runs has no end yet.
    /// </summary>
    internal static List<(long Start, long End)> Join(IEnumerable<(long Start, long End)> stretches)
    {
        var joined = new List<(long Start, long End)>();
        foreach ((long start, long end) in stretches.OrderBy(static s => s.Start))
        {
            if (joined is [.., var last] && start <= last.End)
            {
                joined[^1] = (last.Start, Math.Max(last.End, end));
            }
            else
            {
                joined.Add((start, end));
            }
        }

        return joined;
    }

    private static List<(long Start, long End)> Ranges(IEnumerable<Match> matches) =>
        Join(
            matches
                .Select(static m => m.Later.Execution)
                .Select(static e => (e.StartPosition, e.EndPosition > 0 ? e.EndPosition : long.MaxValue))
        );

    private static void Read(string journal, long start, long end, Dictionary<string, OutputFold> folds)
    {
        using JournalReader reader = JournalReader.Open(journal, start);
        var joiner = new MessageJoiner(
            large => folds.GetValueOrDefault(large.Head.ParentMessageId)?.Takes(large) == true,
            (large, content) => folds.GetValueOrDefault(large.Head.ParentMessageId)?.ApplyPiece(large, content)
        );
        while (reader.Position < end && reader.TryRead(out JournalRecord record))
        {
            if (
                record.Channel is JournalChannel.IoPub or JournalChannel.Shell
                && joiner.TryTake(record, out KernelMessage taken)
                && taken.Message is var message
                && folds.TryGetValue(message.ParentMessageId, out OutputFold? fold)
            )
            {
                if (taken.IsPartial)
                {
                    fold.EndPieces(message.MessageType);
                }
                else if (record.Channel == JournalChannel.IoPub)
                {
                    fold.ApplyIoPub(message.MessageType, message.Header.Date, message.Content.Span);
                }
                else if (message.MessageType == "execute_reply")
                {
                    fold.ApplyReply(message.Header.Date, message.Content.Span);
                }
            }
        }
    }
}
