using System.Buffers;
using System.Text;
using System.Text.Json;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>The statements of the reactive_cells table.</summary>
internal static class ReactiveCellsTable
{
    public static void Put(StoreTransaction transaction, string path, ReactiveCellRow row)
    {
        if (!row.IsNeeded)
        {
            NotebookRows.Remove(transaction, "reactive_cells", path, row.Cell);
            return;
        }

        using Statement put = transaction
            .Prepare("INSERT OR REPLACE INTO reactive_cells (path, cell_id, source, based_on, registered) VALUES (?1, ?2, ?3, ?4, ?5)")
            .Bind(1, path)
            .Bind(2, row.Cell.Value)
            .Bind(3, row.Source)
            .Bind(4, row.BasedOn)
            .Bind(5, row.Registered is null ? null : Text(row.Registered));
        put.Execute();
    }

    public static Dictionary<CellId, ReactiveCellRow> Of(StoreReader reader, string path)
    {
        using Statement select = reader
            .Prepare("SELECT cell_id, source, based_on, registered FROM reactive_cells WHERE path = ?1")
            .Bind(1, path);
        var rows = new Dictionary<CellId, ReactiveCellRow>();
        while (select.Step())
        {
            var cell = new CellId(select.Text(0));
            rows[cell] = new ReactiveCellRow(
                cell,
                select.TextOrNull(1),
                select.TextOrNull(2),
                select.TextOrNull(3) is { } registered ? Read(registered) : null
            );
        }

        return rows;
    }

    private static string Text(CellRegistration registration)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            WriteNames(writer, "definitions", registration.Definitions);
            WriteNames(writer, "references", registration.References);
            WriteNames(writer, "deletions", registration.Deletions);
            writer.WriteStartObject("imports");
            foreach ((string name, string what) in registration.Imports)
            {
                writer.WriteString(name, what);
            }

            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void WriteNames(Utf8JsonWriter writer, string property, IReadOnlyList<string> names)
    {
        writer.WriteStartArray(property);
        foreach (string name in names)
        {
            writer.WriteStringValue(name);
        }

        writer.WriteEndArray();
    }

    private static CellRegistration Read(string text)
    {
        using JsonDocument document = JsonDocument.Parse(text);
        JsonElement root = document.RootElement;
        return new CellRegistration(
            Names(root, "definitions"),
            Names(root, "references"),
            Names(root, "deletions"),
            root.GetProperty("imports").EnumerateObject().ToDictionary(static p => p.Name, static p => p.Value.GetString()!)
        );
    }

    private static string[] Names(JsonElement root, string property) =>
        [.. root.GetProperty(property).EnumerateArray().Select(static n => n.GetString()!)];
}
