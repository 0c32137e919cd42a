using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Notebooks.Outputs;

namespace Holdfast.Tests.Notebooks.Outputs;

public sealed class OutputFoldTests
{
    private readonly DisplayRegistry _displays = new();

    /// <summary>Messages of a real ipykernel, and the notebook nbclient and nbformat made of them.</summary>
    [Fact]
    public void A_recorded_run_gives_byte_for_byte_the_notebook_that_nbclient_wrote()
    {
        NotebookFile notebook = NotebookFile.Parse(GoldenNotebooks.Bytes("recorded.before.ipynb"), "recorded");
        OutputFold[] folds = [.. notebook.Cells.Select(_ => new OutputFold(_displays))];
        foreach (string line in File.ReadLines(GoldenNotebooks.PathOf("recorded.messages.jsonl")))
        {
            using JsonDocument message = JsonDocument.Parse(line);
            OutputFold fold = folds[message.RootElement.GetProperty("cell").GetInt32()];
            string date = message.RootElement.GetProperty("date").GetString()!;
            byte[] content = Encoding.UTF8.GetBytes(message.RootElement.GetProperty("content").GetRawText());
            if (message.RootElement.GetProperty("channel").GetString() == "shell")
            {
                fold.ApplyReply(date, content);
            }
            else
            {
                fold.ApplyIoPub(message.RootElement.GetProperty("type").GetString()!, date, content);
            }
        }

        foreach (NotebookCell cell in notebook.Cells)
        {
            cell.SetResult(folds[cell.Index]);
        }

        Assert.All(folds, fold => Assert.True(fold.IsIdle && fold.ReplyStatus is not null && fold.MalformedMessages == 0));
        Assert.Equal(("error", "ValueError", "no\nway"), (folds[^1].ReplyStatus, folds[^1].ErrorName, folds[^1].ErrorValue));
        Assert.Equal(Encoding.UTF8.GetString(GoldenNotebooks.Bytes("recorded.after.ipynb")), Encoding.UTF8.GetString(notebook.ToBytes()));
    }

    [Fact]
    public void Consecutive_streams_of_one_name_are_one_output()
    {
        OutputFold fold = Fold(Stream("a"), Stream("b\n"), Stream("c", "stderr"), Stream("d"));
        Assert.Equal(
            """[{"name":"stdout","output_type":"stream","text":["ab\n"]},{"name":"stderr","output_type":"stream","text":["c"]},{"name":"stdout","output_type":"stream","text":["d"]}]""",
            Json(fold)
        );
    }

    [Fact]
    public void Clear_takes_effect_at_once()
    {
        OutputFold fold = Fold(Stream("a"), Clear(wait: false));
        Assert.Equal("[]", Json(fold));
    }

    [Fact]
    public void Clear_with_wait_takes_effect_at_the_next_output()
    {
        OutputFold fold = Fold(Stream("a"), Clear(wait: true));
        Assert.Contains("\"a\"", Json(fold), StringComparison.Ordinal);
        Apply(fold, ("status", """{"execution_state": "busy"}"""), ("comm_msg", "{}"), Update("none", "x"));
        Assert.Contains("\"a\"", Json(fold), StringComparison.Ordinal);
        Apply(fold, Stream("b"));
        Assert.Equal("""[{"name":"stdout","output_type":"stream","text":["b"]}]""", Json(fold));
        Apply(fold, Stream("c"));
        Assert.Contains("\"bc\"", Json(fold), StringComparison.Ordinal);
    }

    [Fact]
    public void Clear_starts_the_stream_on_a_new_line()
    {
        OutputFold fold = Fold(Stream("abc\r"), Clear(wait: true), Stream("X"));
        Assert.Contains("[\"X\"]", Json(fold), StringComparison.Ordinal);
    }

    [Fact]
    public void An_update_reaches_every_display_of_its_id_in_every_cell()
    {
        OutputFold first = Fold(Display("one", "a"), Display("two", "b"));
        OutputFold second = Fold(Display(null, "a"), Result("one", "c"));
        long version = first.Version;
        Assert.Equal(["c", "b"], Texts(first)); // The result that repeats the id has updated the display too.

        OutputFold third = Fold(Update("one", "new"));
        Assert.Equal(["new", "b"], Texts(first));
        Assert.Equal(["a", "new"], Texts(second));
        Assert.Equal(0, third.OutputCount);
        Assert.True(first.Version > version);
        Assert.DoesNotContain("transient", Json(first) + Json(second), StringComparison.Ordinal);
    }

    [Fact]
    public void A_display_that_was_cleared_is_no_longer_updated()
    {
        OutputFold first = Fold(Display("one", "a"), Display("one", "a"));
        OutputFold second = Fold(Display("one", "b"));
        Apply(first, Clear(wait: false));
        long version = first.Version;
        Apply(second, Update("one", "c"));
        Assert.Equal(version, first.Version);
        Assert.Equal(["c"], Texts(second));
        second.Discard();
        Apply(first, Update("one", "d"));
        Assert.Equal(version, first.Version);
    }

    [Fact]
    public void Output_after_idle_is_taken()
    {
        OutputFold fold = Fold(Stream("a"), ("status", """{"execution_state": "idle"}"""), Stream("late"));
        Assert.True(fold.IsIdle);
        Assert.Contains("alate", Json(fold), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_types_stay_json_and_text_types_become_lines()
    {
        OutputFold fold = Fold(
            (
                "display_data",
                """
                {"data": {"text/plain": "a\nb", "application/json": {"b": 1.0, "a": [1e5, 123456789012345678901234567890]}, "application/geo+json": "s\nt", "image/png": "iVBO\n",
                 "image/svg+xml": "<svg>\n</svg>", "text/html": ["x\n", "y"], "application/javascript": "a\nb", "text/latex": ""}, "metadata": {"image/png": {"width": 3}}, "transient": {}}
                """
            )
        );
        Assert.Equal(
            """[{"data":{"application/geo+json":"s\nt","application/javascript":["a\n","b"],"application/json":{"a":[1e5,123456789012345678901234567890],"b":1.0},"image/png":"iVBO\n","image/svg+xml":["<svg>\n","</svg>"],"text/html":["x\n","y"],"text/latex":[],"text/plain":["a\n","b"]},"metadata":{"image/png":{"width":3}},"output_type":"display_data"}]""",
            Json(fold)
        );
    }

    [Fact]
    public void Counts_times_and_ends_come_from_their_messages()
    {
        OutputFold fold = new(_displays);
        Assert.Equal(default, fold.Times);
        fold.ApplyIoPub("status", "t1", """{"execution_state": "busy"}"""u8);
        fold.ApplyIoPub("execute_input", "t2", """{"code": "x", "execution_count": 4}"""u8);
        Assert.Equal(4, fold.ExecutionCount);
        fold.ApplyReply("t4", """{"status": "error", "ename": "E", "evalue": "v", "execution_count": 5}"""u8);
        fold.ApplyIoPub("status", "t3", """{"execution_state": "idle"}"""u8);
        Assert.Equal(new ExecutionTimes("t2", "t1", "t3", "t4"), fold.Times);
        Assert.Equal((5, "error", "E", "v"), (fold.ExecutionCount, fold.ReplyStatus, fold.ErrorName, fold.ErrorValue));
    }

    [Theory]
    [InlineData("stream", "{}")]
    [InlineData("stream", "{\"name\": \"stdout\"}")]
    [InlineData("stream", "{\"name\": \"stdout\", \"text\": 3}")]
    [InlineData("stream", "[]")]
    [InlineData("stream", "")]
    [InlineData("stream", "{\"name\": \"stdout\", \"text\": \"a")]
    [InlineData("display_data", "{\"data\": []}")]
    [InlineData("execute_result", "{}")]
    [InlineData("error", "{\"ename\": \"x\"}")]
    [InlineData("status", "nonsense")]
    public void A_malformed_message_is_counted_and_changes_nothing(string type, string content)
    {
        OutputFold fold = Fold(Stream("kept"), Clear(wait: true));
        string before = Json(fold);
        Apply(fold, (type, content));
        Assert.Equal(before, Json(fold));
        Assert.Equal(1, fold.MalformedMessages);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_stored_as_the_replacement_character()
    {
        OutputFold fold = Fold(("stream", """{"name": "stdout", "text": "a\ud83d!\ud83c\udf89"}"""));
        Assert.Contains("a\uFFFD!🎉", Json(fold), StringComparison.Ordinal);
    }

    [Fact]
    public void A_progress_bar_of_many_updates_is_one_line()
    {
        OutputFold fold = new(_displays);
        for (int i = 0; i <= 20_000; i++)
        {
            Apply(
                fold,
                Stream(
                    string.Create(CultureInfo.InvariantCulture, $"\r{i / 200, 3}%|{new string('█', i / 1000), -20}| {i}/20000"),
                    "stderr"
                )
            );
        }

        Apply(fold, Stream("\n", "stderr"));
        Assert.Equal("100%|████████████████████| 20000/20000\n", JsonNode.Parse(Json(fold))![0]!["text"]![0]!.GetValue<string>());
    }

    private OutputFold Fold(params (string Type, string Content)[] messages)
    {
        OutputFold fold = new(_displays);
        Apply(fold, messages);
        return fold;
    }

    private static void Apply(OutputFold fold, params (string Type, string Content)[] messages)
    {
        foreach ((string type, string content) in messages)
        {
            fold.ApplyIoPub(type, null, Encoding.UTF8.GetBytes(content));
        }
    }

    private static string Json(OutputFold fold) => Encoding.UTF8.GetString(fold.ToJson());

    private static string[] Texts(OutputFold fold) =>
        [.. JsonNode.Parse(Json(fold))!.AsArray().Select(output => output!["data"]!["text/plain"]![0]!.GetValue<string>())];

    private static (string, string) Stream(string text, string name = "stdout") =>
        ("stream", $$"""{"name": "{{name}}", "text": "{{JsonEncodedText.Encode(text)}}"}""");

    private static (string, string) Clear(bool wait) => ("clear_output", wait ? """{"wait": true}""" : """{"wait": false}""");

    private static (string, string) Display(string? id, string text) => ("display_data", Rich(id, text));

    private static (string, string) Result(string? id, string text) => ("execute_result", Rich(id, text));

    private static (string, string) Update(string id, string text) => ("update_display_data", Rich(id, text));

    private static string Rich(string? id, string text) =>
        $$"""{"data": {"text/plain": "{{text}}"}, "metadata": {}, "execution_count": 1, "transient": {{(id is null ? "{}" : $$"""{"display_id": "{{id}}"}""")}}}""";
}
