using System.Text;
using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>The statements of the cell_values table.</summary>
internal static class CellValuesTable
{
    private const string Columns = "cell_id, attempt_id, execution_id, source_hash, inputs";

    public static void Put(StoreTransaction transaction, string path, CellValue value)
    {
        using Statement insert = transaction
            .Prepare($"INSERT OR REPLACE INTO cell_values (path, {Columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            .Bind(1, path)
            .Bind(2, value.Cell.Value)
            .Bind(3, value.Incarnation.Value)
            .Bind(4, value.Execution.Value)
            .Bind(5, value.SourceHash)
            .Bind(6, Write(value.Inputs));
        insert.Execute();
    }

    /// <summary>The cell is about to make these names anew.</summary>
    /// <param name="shared">Imports, and names with an underscore: another cell may hold them with equal right.</param>
    public static void Begin(StoreTransaction transaction, string path, CellId cell, IEnumerable<string> names, IEnumerable<string> shared)
    {
        Forget(transaction, path, cell);
        foreach (string name in names)
        {
            ForgetName(transaction, path, name);
            Hold(transaction, path, name, cell);
        }

        foreach (string name in shared)
        {
            Hold(transaction, path, name, cell);
        }
    }

    /// <summary>The kernel holds nothing more of this cell that could be relied on.</summary>
    public static void Forget(StoreTransaction transaction, string path, CellId cell)
    {
        using Statement values = transaction
            .Prepare("DELETE FROM cell_values WHERE path = ?1 AND cell_id = ?2")
            .Bind(1, path)
            .Bind(2, cell.Value);
        values.Execute();
        using Statement names = transaction
            .Prepare("DELETE FROM held_names WHERE path = ?1 AND cell_id = ?2")
            .Bind(1, path)
            .Bind(2, cell.Value);
        names.Execute();
    }

    /// <summary>The same of its value alone: the names that it had made are still there.</summary>
    public static void ForgetValue(StoreTransaction transaction, string path, CellId cell)
    {
        using Statement values = transaction
            .Prepare("DELETE FROM cell_values WHERE path = ?1 AND cell_id = ?2")
            .Bind(1, path)
            .Bind(2, cell.Value);
        values.Execute();
    }

    /// <summary>Whoever had made this name has no whole value any more.</summary>
    public static void ForgetName(StoreTransaction transaction, string path, string name)
    {
        using Statement values = transaction
            .Prepare(
                "DELETE FROM cell_values WHERE path = ?1 AND cell_id IN (SELECT cell_id FROM held_names WHERE path = ?1 AND name = ?2)"
            )
            .Bind(1, path)
            .Bind(2, name);
        values.Execute();
        using Statement names = transaction.Prepare("DELETE FROM held_names WHERE path = ?1 AND name = ?2").Bind(1, path).Bind(2, name);
        names.Execute();
    }

    /// <summary>Each once.</summary>
    public static List<string> HeldNames(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare("SELECT DISTINCT name FROM held_names WHERE path = ?1").Bind(1, path);
        var names = new List<string>();
        while (select.Step())
        {
            names.Add(select.Text(0));
        }

        return names;
    }

    /// <summary>The cell has made this name in the kernel.</summary>
    public static void Hold(StoreTransaction transaction, string path, string name, CellId cell)
    {
        using Statement insert = transaction
            .Prepare("INSERT OR IGNORE INTO held_names (path, name, cell_id) VALUES (?1, ?2, ?3)")
            .Bind(1, path)
            .Bind(2, name)
            .Bind(3, cell.Value);
        insert.Execute();
    }

    public static CellValue? Find(StoreReader reader, string path, CellId cell)
    {
        using Statement select = reader
            .Prepare($"SELECT {Columns} FROM cell_values WHERE path = ?1 AND cell_id = ?2")
            .Bind(1, path)
            .Bind(2, cell.Value);
        return select.Step() ? ReadRow(select) : null;
    }

    /// <summary>Whether another cell has made one of these names.</summary>
    public static bool IsHeldByAnother(StoreReader reader, string path, CellId cell, string name)
    {
        using Statement select = reader
            .Prepare("SELECT 1 FROM held_names WHERE path = ?1 AND name = ?2 AND cell_id <> ?3 LIMIT 1")
            .Bind(1, path)
            .Bind(2, name)
            .Bind(3, cell.Value);
        return select.Step();
    }

    /// <summary>The kernel that held all this is no more, or no more the notebook's. Gives the cells whose values those were.</summary>
    public static List<CellId> ForgetAll(StoreTransaction transaction, string path)
    {
        var cells = new List<CellId>();
        using (Statement delete = transaction.Prepare("DELETE FROM cell_values WHERE path = ?1 RETURNING cell_id").Bind(1, path))
        {
            while (delete.Step())
            {
                cells.Add(new CellId(delete.Text(0)));
            }
        }

        foreach (string table in (string[])["held_names", "ghost_names"])
        {
            using Statement names = transaction.Prepare($"DELETE FROM {table} WHERE path = ?1").Bind(1, path);
            names.Execute();
        }

        return cells;
    }

    public static Dictionary<CellId, CellValue> Of(StoreReader reader, string path)
    {
        using Statement select = reader.Prepare($"SELECT {Columns} FROM cell_values WHERE path = ?1").Bind(1, path);
        var values = new Dictionary<CellId, CellValue>();
        while (select.Step())
        {
            CellValue value = ReadRow(select);
            values[value.Cell] = value;
        }

        return values;
    }

    private static CellValue ReadRow(Statement row) =>
        new(new CellId(row.Text(0)), new AttemptId(row.Text(1)), new ExecutionId(row.Text(2)), row.Text(3), Read(row.Text(4)));

    private static string Write(IReadOnlyDictionary<string, string> inputs)
    {
        if (inputs.Count == 0)
        {
            return "{}";
        }

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            foreach ((string cell, string execution) in inputs)
            {
                writer.WriteString(cell, execution);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static Dictionary<string, string> Read(string json)
    {
        var inputs = new Dictionary<string, string>();
        if (json == "{}")
        {
            return inputs;
        }

        using JsonDocument document = JsonDocument.Parse(json);
        foreach (JsonProperty input in document.RootElement.EnumerateObject())
        {
            inputs[input.Name] = input.Value.GetString() ?? "";
        }

        return inputs;
    }
}
