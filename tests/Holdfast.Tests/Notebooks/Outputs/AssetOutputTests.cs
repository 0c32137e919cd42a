using System.Text;
using System.Text.Json.Nodes;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Notebooks.Outputs;

namespace Holdfast.Tests.Notebooks.Outputs;

/// <summary>What stands in a notebook for an output that is too large for it.</summary>
public sealed class AssetOutputTests
{
    private const int InlineMax = 1000;
    private static readonly AssetMark Mark = new(new AssetHash(new string('a', 64)), 5000, "image/png");
    private readonly OutputFold _fold = new(new DisplayRegistry());

    [Fact]
    public void An_image_is_decoded_and_its_words_and_metadata_say_where_it_is()
    {
        byte[] pixels = new byte[5000];
        Display(
            $$"""{"data": {"image/png": "{{Convert.ToBase64String(pixels)}}", "text/plain": "<Figure>"}, "metadata": {"image/png": {"width": 6}, "isolated": true} }"""
        );

        LargeValue value = Assert.Single(_fold.Unkept(InlineMax));
        Assert.Equal(("image/png", pixels.Length), (value.MediaType, Read(value).Length));
        value.Accept(Mark);

        Assert.Empty(_fold.Unkept(InlineMax));
        JsonNode output = Cell()["outputs"]![0]!;
        Assert.Null(output["data"]!["image/png"]);
        Assert.Equal(
            $"<Figure>\n[holdfast: image/png of 5,000 bytes is too large for this notebook. All of it: holdfast assets get {Mark.Hash} or GET /v1/assets/{Mark.Hash}]",
            Text(output["data"]!["text/plain"]!)
        );
        Assert.Equal(Mark.Hash.Value, (string?)output["metadata"]!["holdfast"]!["assets"]!["image/png"]!["sha256"]);
        Assert.Equal(["holdfast", "image/png", "isolated"], output["metadata"]!.AsObject().Select(static p => p.Key));
        Assert.Equal(5000, (int?)Cell()["metadata"]!["holdfast"]!["assets"]![0]!["size"]);
    }

    [Theory]
    [InlineData("""{"application/vnd.plotly.v1+json": {"y": "LONG"}}""", "application/vnd.plotly.v1+json", 1209)]
    [InlineData("""{"text/html": ["LONG"]}""", "text/html", 1200)]
    [InlineData("""{"text/plain": "LONG"}""", "text/plain", 1200)]
    [InlineData("""{"image/svg+xml": "LONG"}""", "image/svg+xml", 1200)]
    [InlineData("""{"image/png": "LONG!"}""", "image/png", 1201)]
    public void What_is_kept_is_what_its_type_says(string data, string type, int length)
    {
        Display($$"""{"data": {{data.Replace("LONG", new string('x', 1200), StringComparison.Ordinal)}}, "metadata": {} }""");

        LargeValue value = Assert.Single(_fold.Unkept(InlineMax));

        Assert.Equal((type, length), (value.MediaType, Read(value).Length));
        Assert.Equal(["text/plain"], Cell()["outputs"]![0]!["data"]!.AsObject().Select(static p => p.Key));
    }

    [Fact]
    public void A_long_text_has_its_head_and_tail_and_is_kept_whole()
    {
        string text = string.Concat(Enumerable.Range(0, 1000).Select(static i => $"line {i}\n"));
        Stream(text);

        LargeValue value = Assert.Single(_fold.Unkept(InlineMax));
        Assert.Equal(text, Encoding.UTF8.GetString(Read(value)));
        value.Accept(Mark);
        string shown = Text(Cell()["outputs"]![0]!["text"]!);

        Assert.StartsWith("line 0\n", shown, StringComparison.Ordinal);
        Assert.EndsWith("\nline 999\n", shown, StringComparison.Ordinal);
        Assert.Contains($"\n[holdfast: ", shown, StringComparison.Ordinal);
        Assert.True(shown.Length < text.Length);
        Assert.Equal(Mark.Hash.Value, (string?)Cell()["metadata"]!["holdfast"]!["assets"]![0]!["sha256"]);

        Stream("more\n"); // A thread that prints on: what was kept is no longer the whole.
        Assert.Single(_fold.Unkept(InlineMax));
        Assert.Null(Cell()["metadata"]!["holdfast"]?["assets"]);
    }

    [Fact]
    public void What_is_not_held_in_memory_is_kept_whole_all_the_same()
    {
        string folder = Directory.CreateTempSubdirectory("hf-spools-").FullName;
        var fold = new OutputFold(new DisplayRegistry(), new OutputSpools(folder, InlineMax, TimeProvider.System));
        string text = string.Concat(Enumerable.Range(0, 100_000).Select(static i => $"lïne {i}\n"));
        foreach (char[] piece in text.Chunk(10_000))
        {
            fold.ApplyIoPub(
                "stream",
                null,
                Encoding.UTF8.GetBytes(new JsonObject { ["name"] = "stdout", ["text"] = new string(piece) }.ToJsonString())
            );
        }

        byte[] pixels = [.. Enumerable.Range(0, 5000).Select(static i => (byte)i)];
        fold.ApplyIoPub(
            "display_data",
            null,
            Encoding.UTF8.GetBytes(
                $$"""{"data": {"image/png": "{{Convert.ToBase64String(pixels)}}", "text/plain": "<Figure>"}, "metadata": {} }"""
            )
        );

        List<LargeValue> values = fold.Unkept(InlineMax);
        Assert.Equal(["text/plain; charset=utf-8", "image/png"], values.Select(static v => v.MediaType));
        Assert.Equal(text, Encoding.UTF8.GetString(Read(values[0])));
        Assert.Equal(pixels, Read(values[1]));
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder)); // Its spools have no names.
        JsonNode outputs = JsonNode.Parse(fold.ToJson())!;
        string shown = Text(outputs[0]!["text"]!);
        Assert.StartsWith("lïne 0\n", shown, StringComparison.Ordinal);
        Assert.EndsWith("\nlïne 99999\n", shown, StringComparison.Ordinal);
        Assert.StartsWith(
            "<Figure>\n[holdfast: image/png of 5,000 bytes",
            Text(outputs[1]!["data"]!["text/plain"]!),
            StringComparison.Ordinal
        );
        Directory.Delete(folder);
    }

    [Fact]
    public void Lines_without_end_are_cut_between_characters()
    {
        Stream(string.Concat(Enumerable.Repeat("é", 2000)) + "€");
        Assert.DoesNotContain("\uFFFD", Text(Cell()["outputs"]![0]!["text"]!), StringComparison.Ordinal);
    }

    [Fact]
    public void An_update_that_comes_later_is_not_what_was_kept()
    {
        Display($$"""{"data": {"text/html": "{{new string('x', 2000)}}"}, "metadata": {}, "transient": {"display_id": "d"} }""");
        LargeValue old = Assert.Single(_fold.Unkept(InlineMax));
        _fold.ApplyIoPub(
            "update_display_data",
            null,
            Encoding.UTF8.GetBytes(
                $$"""{"data": {"text/html": "{{new string('y', 2000)}}"}, "metadata": {}, "transient": {"display_id": "d"} }"""
            )
        );

        old.Accept(Mark);

        Assert.StartsWith("y", Encoding.UTF8.GetString(Read(Assert.Single(_fold.Unkept(InlineMax)))), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_a_limit_everything_stands_in_the_notebook()
    {
        Stream(new string('x', 1_000_000));
        Assert.Empty(_fold.Unkept(int.MaxValue));
        Assert.Equal(1_000_000, Text(Cell(int.MaxValue)["outputs"]![0]!["text"]!).Length);
    }

    private JsonNode Cell(int inlineMax = InlineMax)
    {
        NotebookFile notebook = NotebookFile.Parse(
            """{"cells":[{"cell_type":"code","id":"a","metadata":{},"outputs":[],"execution_count":null,"source":""}],"metadata":{},"nbformat":4,"nbformat_minor":5}"""u8.ToArray(),
            "n"
        );
        notebook.Cells[0].SetResult(_fold, inlineMax);
        notebook.Cells[0].SetMark(new CellMark("x", "succeeded"));
        return JsonNode.Parse(notebook.ToBytes())!["cells"]![0]!;
    }

    private static byte[] Read(LargeValue value)
    {
        using Stream content = value.Open();
        var bytes = new MemoryStream();
        content.CopyTo(bytes);
        return bytes.ToArray();
    }

    private void Display(string content) => _fold.ApplyIoPub("display_data", null, Encoding.UTF8.GetBytes(content));

    private void Stream(string text) =>
        _fold.ApplyIoPub("stream", null, Encoding.UTF8.GetBytes(new JsonObject { ["name"] = "stdout", ["text"] = text }.ToJsonString()));

    private static string Text(JsonNode lines) => string.Concat(lines.AsArray().Select(static l => (string?)l));
}
