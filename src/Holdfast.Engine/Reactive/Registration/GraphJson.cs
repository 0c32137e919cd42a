using System.Text.Json;
using Holdfast.Engine.Reactive.Cascades;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>What the feed and REST say of a cell's place in the graph, in the same words.</summary>
public static class GraphJson
{
    internal static void WriteChange(
        Utf8JsonWriter writer,
        ReactiveNotebook notebook,
        CellId? edited,
        RegistryChange change,
        CellFreshness freshness
    )
    {
        writer.WriteString("path", notebook.Path);
        writer.WriteString("cellId", edited?.Value);
        var reasons = new ReasonTable();
        writer.WriteStartArray("cells");
        foreach (CellId cell in change.Verdicts.Concat(change.Registered).Distinct())
        {
            writer.WriteStartObject();
            writer.WriteString("cellId", cell.Value);
            reasons.WriteState(writer, notebook.Registry.State(cell));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        reasons.Write(writer);
        WriteCells(writer, "stale", freshness.Stale);
        WriteCells(writer, "fresh", freshness.Fresh);
        WriteNames(writer, "gone", change.Gone);
    }

    /// <summary>state, reason and cycle in short, and all reasons at length.</summary>
    public static void WriteState(Utf8JsonWriter writer, CellState state)
    {
        writer.WriteString("state", state.Name);
        if (!state.IsBlocked)
        {
            return;
        }

        writer.WriteString("reason", state.Reasons[0].KindName);
        if (state.Reasons.FirstOrDefault(static r => r.Kind == BlockKind.Cycle) is { } knot)
        {
            WriteCells(writer, "cycle", knot.Cycle.Select(static s => s.Cell));
        }

        WriteReasons(writer, state.Reasons);
    }

    internal static void WriteReasons(Utf8JsonWriter writer, IEnumerable<BlockReason> reasons)
    {
        writer.WriteStartArray("reasons");
        foreach (BlockReason reason in reasons)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", reason.KindName);
            writer.WriteString("message", reason.Message);
            WriteCycle(writer, reason);
            WriteConflicts(writer, reason);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    public static void WriteCells(Utf8JsonWriter writer, string property, IEnumerable<CellId> cells) =>
        WriteNames(writer, property, cells.Select(static c => c.Value));

    public static void WriteNames(Utf8JsonWriter writer, string property, IEnumerable<string> names)
    {
        writer.WriteStartArray(property);
        foreach (string name in names)
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
    }

    private static void WriteCycle(Utf8JsonWriter writer, BlockReason reason)
    {
        if (reason.Cycle.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("cycle");
        foreach (CycleStep step in reason.Cycle)
        {
            writer.WriteStartObject();
            writer.WriteString("cellId", step.Cell.Value);
            writer.WriteString("variable", step.Variable);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static void WriteConflicts(Utf8JsonWriter writer, BlockReason reason)
    {
        if (reason.Conflicts.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("conflicts");
        foreach (NameConflict conflict in reason.Conflicts)
        {
            writer.WriteStartObject();
            writer.WriteString("variable", conflict.Name);
            WriteCells(writer, "cells", conflict.Cells);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
