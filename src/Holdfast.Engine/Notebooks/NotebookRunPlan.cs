using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// The cells a run executes, in order. Pure. The order is always the notebook's, whatever the order of the request, and each cell comes
/// once: a run of some cells gives what a reader of the notebook expects. What nbclient skips is skipped: cells that are not code, empty
/// ones, and those tagged <c>skip-execution</c>, even when they are asked for by name.
/// </summary>
public sealed record NotebookRunPlan(IReadOnlyList<PlannedCell> Cells, IReadOnlyList<SkippedCell> Skipped)
{
    /// <summary>nbclient's default for <c>skip_cells_with_tag</c>.</summary>
    public const string SkipTag = "skip-execution";

    /// <summary>A cell with this tag may fail, and the run goes on.</summary>
    public const string ErrorAllowedTag = "raises-exception";

    /// <param name="sourceOf">What an execution ran, by its id; null where that is not known.</param>
    public static NotebookRunPlan For(NotebookFile notebook, CellSelection selection, Func<string, string?>? sourceOf = null) =>
        For([.. notebook.Cells.Select(cell => RunCell.Of(cell, sourceOf ?? (static _ => null)))], selection);

    public static NotebookRunPlan For(IReadOnlyList<RunCell> cells, CellSelection selection)
    {
        HashSet<int> selected = selection switch
        {
            CellSelection.All => From(cells, 0),
            CellSelection.ByIndex some => [.. some.Indices.Select(index => Existing(cells, index))],
            CellSelection.ById some => [.. some.CellIds.Select(id => Existing(cells, id))],
            CellSelection.FromIndex from => From(cells, Existing(cells, from.Index)),
            CellSelection.FromId from => From(cells, Existing(cells, from.CellId)),
            _ => From(cells, FirstNotDone(cells)),
        };

        List<PlannedCell> planned = [];
        List<SkippedCell> skipped = [];
        for (int index = 0; index < cells.Count; index++)
        {
            if (!selected.Contains(index))
            {
                continue;
            }

            if (WhySkipped(cells[index]) is { } reason)
            {
                skipped.Add(new SkippedCell(index, reason));
            }
            else
            {
                planned.Add(new PlannedCell(index, cells[index].CellId, AllowsError(cells[index])));
            }
        }

        return new NotebookRunPlan(planned, skipped);
    }

    private static HashSet<int> From(IReadOnlyList<RunCell> cells, int first) => [.. Enumerable.Range(first, cells.Count - first)];

    private static bool AllowsError(RunCell cell) => cell.Tags.Contains(ErrorAllowedTag);

    private static SkipReason? WhySkipped(RunCell cell) =>
        !cell.IsCode ? SkipReason.NotCode
        : cell.IsEmpty ? SkipReason.Empty
        : cell.Tags.Contains(SkipTag) ? SkipReason.Tagged
        : null;

    private static int FirstNotDone(IReadOnlyList<RunCell> cells)
    {
        for (int index = 0; index < cells.Count; index++)
        {
            RunCell cell = cells[index];
            bool isDone =
                !cell.IsEdited
                && (cell.LastState == ExecutionState.Succeeded || (cell.LastState == ExecutionState.Failed && AllowsError(cell)));
            if (WhySkipped(cell) is null && !isDone)
            {
                return index;
            }
        }

        throw new RefusedException(
            ErrorCodes.NothingToResume,
            "Every cell of this notebook has run to its end; there is nothing to resume. Run it again without resuming to start over."
        );
    }

    private static int Existing(IReadOnlyList<RunCell> cells, int index) =>
        index >= 0 && index < cells.Count
            ? index
            : throw new RefusedException(
                ErrorCodes.CellNotFound,
                cells.Count == 0
                    ? "The notebook has no cells."
                    : $"There is no cell {index}; this notebook's cells are 0 to {cells.Count - 1}, markdown cells counted."
            );

    private static int Existing(IReadOnlyList<RunCell> cells, string cellId)
    {
        for (int index = 0; index < cells.Count; index++)
        {
            if (cells[index].CellId == cellId)
            {
                return index;
            }
        }

        string remedy = cells.Any(cell => cell.CellId is not null)
            ? "Read the notebook again for its present ids."
            : "This notebook is older than nbformat 4.5 and its cells have no ids: use their indices.";
        throw new RefusedException(ErrorCodes.CellNotFound, $"There is no cell with the id \"{cellId}\". {remedy}");
    }
}

/// <summary>What the plan needs to know of a cell.</summary>
/// <param name="LastState">How its last execution ended, if one of ours is known; the caller may know better than the notebook's own
/// mark.</param>
public sealed record RunCell(string? CellId, bool IsCode, bool IsEmpty, IReadOnlyList<string> Tags, ExecutionState? LastState)
{
    /// <summary>It is not what ran last: what it does now was never done.</summary>
    public bool IsEdited { get; init; }

    /// <param name="sourceOf">What an execution ran; null where that is not known any more, and then the cell counts as what ran.</param>
    public static RunCell Of(NotebookCell cell, Func<string, string?> sourceOf) =>
        new(
            cell.Id,
            cell.IsCode,
            string.IsNullOrWhiteSpace(cell.Source),
            cell.Tags,
            cell.Mark is { } mark && ExecutionStates.TryParse(mark.State, out ExecutionState state) ? state : null
        )
        {
            IsEdited = cell.Mark is { } last && sourceOf(last.ExecutionId) is { } ran && ran != cell.Source,
        };
}

/// <summary>A cell to execute.</summary>
/// <param name="AllowsError">The run goes on if it fails.</param>
public sealed record PlannedCell(int Index, string? CellId, bool AllowsError);

/// <summary>A cell that was selected and will not be executed.</summary>
public sealed record SkippedCell(int Index, SkipReason Reason);

/// <summary>Why a cell is not executed.</summary>
public enum SkipReason
{
    NotCode,
    Empty,
    Tagged,
}
