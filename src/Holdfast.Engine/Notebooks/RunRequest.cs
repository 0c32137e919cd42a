using System.Text.Json;
using Holdfast.Engine.Kernels;

namespace Holdfast.Engine.Notebooks;

/// <summary>A notebook run as asked for.</summary>
public sealed record RunRequest
{
    /// <summary>Absolute, or below the server's root.</summary>
    public required string Path { get; init; }

    /// <summary>A live kernel's id, or a kernelspec's name. Default: the notebook's own kernelspec, in a new kernel.</summary>
    public string? Kernel { get; init; }

    public CellSelection Cells { get; init; } = new CellSelection.All();

    public IReadOnlyList<KeyValuePair<string, JsonElement>> Parameters { get; init; } = [];

    /// <summary>An error ends the run; the cells after it are cancelled. Cells tagged raises-exception are excepted.</summary>
    public bool StopOnError { get; init; } = true;

    /// <summary>Who is told of the run's end.</summary>
    public Callbacks.CallbackRequest? Callback { get; init; }

    /// <summary>Asked again under the same key, the same request gives the run that there is.</summary>
    public Executions.IdempotencyKey? Key { get; init; }
}

/// <summary>A run as accepted: durable, each cell an execution.</summary>
public sealed record StartedRun(Run Run, IReadOnlyList<RunCellView> Cells)
{
    /// <summary>It was there already, under the same key.</summary>
    public bool IsRepeat { get; init; }
}

/// <summary>One cell of a run.</summary>
public sealed record RunCellView(int Index, string? CellId, Executions.Execution Execution);

/// <summary>A run with its cells.</summary>
public sealed record RunView(Run Run, IReadOnlyList<RunCellView> Cells, KernelId KernelId);
