using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Reactive.Python;
using Holdfast.Engine.Reactive.Registration;

namespace Holdfast.Engine.Reactive.Conversion;

/// <param name="IsPartial">Write also when cells stay blocked.</param>
public sealed record ConversionRequest(string Path, bool IsWritten, bool IsPartial);

/// <summary>
/// Says what reactive mode would make of a linear notebook, and makes it reactive: 1. its cells are analysed, and the names that several of
/// them define get a name for each value where that is safe;
/// 2. the changed texts are analysed again, and the graph of all gives the verdicts; 3. to write, the file is kept as it was, then replaced
/// as a whole with the new texts and <c>holdfast.mode</c>. A crash in 3 leaves the notebook as it was or converted, and perhaps a backup
/// too many.
/// Errors: notebook-*, not-supported (no Python), notebook-busy, notebook-not-convertible, cell-changed, disk-full.
/// </summary>
public sealed class ConvertLinearNotebook(ReactiveNotebooks notebooks, CellAnalysers analysers, ActiveRuns active, string root)
{
    public async Task<ConversionReport> RunAsync(ConversionRequest request, CancellationToken cancellationToken)
    {
        string path = NotebookStorage.RealPathOf(request.Path, root);
        Actor.Does(request.IsWritten ? nameof(ConvertLinearNotebook) : null, path);
        using IDisposable turn = await notebooks.TakeTurnAsync(path, cancellationToken);
        ReactiveNotebook notebook = await notebooks.OpenAsync(path, cancellationToken);
        NotebookFile file = NotebookFile.Load(path);
        file.GiveCellIds();
        SetNotebookMode.ThrowIfItCannotBe(file);
        PythonAnalyser python = analysers.PythonForKernel(file.KernelName);
        LinearCell[] cells = await Task.WhenAll(
            ReactiveNotebook
                .CodeCells(file)
                .Select(c =>
                    ReadAsync(
                        notebook.Analyser,
                        python,
                        c,
                        notebook.Sources.GetValueOrDefault(new CellId(c.Id!)) ?? c.Source,
                        cancellationToken
                    )
                )
        );
        (ConversionPlan plan, Dictionary<CellId, string> texts) = await PlanAsync(python, cells, cancellationToken);
        CellRegistry converted = await JudgeAsync(notebook, cells, texts, file, cancellationToken);
        var report = new ConversionReport(
            path,
            file.IsReactive,
            cells.Length,
            LinearFindings.Of(plan, converted),
            [.. Renamings(plan)],
            plan.FinalNames.ToDictionary(static n => n.Name, static n => n.Last),
            [.. converted.Cells.Where(c => converted.State(c).IsBlocked)]
        );
        return request.IsWritten ? report with { Backup = await WriteAsync(report, request, cells, texts) } : report;
    }

    private static async Task<LinearCell> ReadAsync(
        ICellAnalyser analyser,
        PythonAnalyser python,
        NotebookCell cell,
        string source,
        CancellationToken cancellationToken
    )
    {
        (CellAnalysis analysis, CellBindings? bindings) =
            SqlAnalyser.IsSql(source) || analyser is UnknownLanguage
                ? (await analyser.AnalyseAsync(source, cancellationToken), null)
                : await python.BindAsync(source, cancellationToken);
        return new LinearCell(cell.Index, new CellId(cell.Id!), source, analysis, bindings)
        {
            ExecutionCount = cell.ExecutionCount,
            IsParameters = cell.Tags.Contains("parameters") || cell.Tags.Contains("injected-parameters"),
        };
    }

    /// <summary>A name that cannot be changed exactly in every text is left out, and the plan is made anew without it.</summary>
    internal static async Task<(ConversionPlan Plan, Dictionary<CellId, string> Texts)> PlanAsync(
        PythonAnalyser python,
        LinearCell[] cells,
        CancellationToken cancellationToken
    )
    {
        var refused = new Dictionary<string, string>(StringComparer.Ordinal);
        while (true)
        {
            var plan = ConversionPlan.Of(cells, refused);
            var texts = new Dictionary<CellId, string>();
            int before = refused.Count;
            foreach ((LinearCell cell, List<NameChange> changes) in plan.Changes())
            {
                if (await python.RenameAsync(cell.Source, changes, cancellationToken) is { } text)
                {
                    texts[cell.Id] = text;
                    continue;
                }

                foreach (NameChange change in changes)
                {
                    refused.TryAdd(
                        cell.Bindings!.Uses.First(u => u.Ordinal == change.Ordinal).Name,
                        $"its places in cell {cell.Index} cannot be told exactly"
                    );
                }
            }

            if (refused.Count == before)
            {
                return (plan, texts);
            }
        }
    }

    /// <summary>The verdicts on all cells as they would be. One that cannot be read stands for others as what it last was.</summary>
    private static async Task<CellRegistry> JudgeAsync(
        ReactiveNotebook notebook,
        LinearCell[] cells,
        Dictionary<CellId, string> texts,
        NotebookFile file,
        CancellationToken cancellationToken
    )
    {
        CellAnalysis[] analyses = await Task.WhenAll(
            cells.Select(c =>
                texts.TryGetValue(c.Id, out string? text)
                    ? notebook.Analyser.AnalyseAsync(text, cancellationToken)
                    : Task.FromResult(c.Analysis)
            )
        );
        return CellRegistry.Load([
            .. cells.Select(
                (c, i) =>
                    new LoadedCell(
                        c.Id,
                        analyses[i],
                        analyses[i].Error is null ? CellRegistration.Of(analyses[i]) : notebook.Registry.Wanted(c.Id),
                        file.Cells[c.Index].IsDisabled
                    )
            ),
        ]);
    }

    private static IEnumerable<Renaming> Renamings(ConversionPlan plan) =>
        from pair in plan.Changes()
        from change in pair.Value
        let use = pair.Key.Bindings!.Uses.First(u => u.Ordinal == change.Ordinal)
        orderby pair.Key.Index, use.Line, change.Ordinal
        select new Renaming(pair.Key.Index, pair.Key.Id, use.Line, use.Name, change.Name);

    internal Assets.NotebookAssets? Assets { get; init; }

    private async Task<string> WriteAsync(
        ConversionReport report,
        ConversionRequest request,
        LinearCell[] cells,
        Dictionary<CellId, string> texts
    )
    {
        if (report.Blocked.Count > 0 && !request.IsPartial)
        {
            throw new RefusedException(
                ErrorCodes.NotebookNotConvertible,
                $"In reactive mode {report.Blocked.Count} of the {report.CellCount} cells of {report.Path} would be blocked, which nothing but an edit can mend; the first is {report.Blocked[0]}. Nothing was written. "
                    + "Mend what 'holdfast notebook convert' lists, or write it as far as it goes with --partial."
            );
        }

        using IDisposable reserved =
            active.TryReserve(report.Path)
            ?? throw new RefusedException(ErrorCodes.NotebookBusy, $"A run of {report.Path} is just being started.");
        if (active.IsActive(report.Path, out Run? running))
        {
            throw new RefusedException(
                ErrorCodes.NotebookBusy,
                $"Run {running.Id} of {report.Path} is still going on. Wait for it, or cancel its cells."
            );
        }

        string? backup = null;
        await notebooks.ChangeAsync(
            report.Path,
            file =>
            {
                ThrowIfChanged(file, cells);
                backup = LinearBackup.Keep(report.Path);
                foreach (NotebookCell cell in ReactiveNotebook.CodeCells(file))
                {
                    if (texts.TryGetValue(new CellId(cell.Id!), out string? text))
                    {
                        cell.SetSource(text);
                    }
                }

                file.SetReactivity(isReactive: true, file.IsAutorun);
            },
            CancellationToken.None
        ); // What is begun to be written is written whole.
        if (Assets is not null)
        {
            // What only the notebook as it was refers to is kept for it.
            await Assets.SeenAsync(backup!, NotebookStorage.Read(backup!, out _));
        }

        return backup!;
    }

    /// <summary>Somebody who saved the notebook meanwhile has the last word.</summary>
    private static void ThrowIfChanged(NotebookFile file, LinearCell[] cells)
    {
        if (
            !ReactiveNotebook
                .CodeCells(file)
                .Select(static c => (c.Id!, c.Source))
                .SequenceEqual(cells.Select(static c => (c.Id.Value, c.Source)))
        )
        {
            throw new RefusedException(
                ErrorCodes.CellChanged,
                $"Somebody else has changed {file.Path} while it was looked at. Nothing was written; convert it again."
            );
        }
    }
}
