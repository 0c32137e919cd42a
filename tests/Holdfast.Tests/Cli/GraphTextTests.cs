using System.Text.Json;
using Holdfast.Server.Cli.Graphs;

namespace Holdfast.Tests.Cli;

/// <summary>A graph as `holdfast notebook graph` and `check` show it.</summary>
public sealed class GraphTextTests
{
    private static readonly JsonElement Graph = JsonDocument
        .Parse(
            """
            {"path":"/n.ipynb","mode":"reactive","autorun":false,"cells":[
              {"cellId":"a","state":"ok","definitions":["x","unused"],"references":["env"],"upstream":[],"mutations":[{"variable":"df","line":2,"hint":"df changes"}]},
              {"cellId":"b","state":"blocked","reason":"cycle","reasons":[0],"definitions":["y"],"references":["x","y"],"upstream":["a"]},
              {"cellId":"c","state":"disabled","definitions":[],"references":["y"],"upstream":["b"],"blockedBy":["b"]}],
             "reasons":[{"kind":"cycle","message":"a circle"}]}
            """
        )
        .RootElement;

    [Fact]
    public void Text_has_a_line_for_each_cell_and_says_why_one_is_blocked() =>
        Assert.Equal(
            "/n.ipynb (reactive)\na  defines x, unused\nb  defines y  <- a (x)\n    blocked, cycle: a circle\nc  <- b (y)  disabled\n    needs b, which may not run\n",
            GraphText.Plain(Graph)
        );

    [Fact]
    public void Dot_has_boxes_and_arrows_with_names() =>
        Assert.Equal(
            "digraph notebook {\n  node [shape=box];\n  \"a\" [label=\"a\\nx, unused\"];\n  \"b\" [label=\"b\\ny\", color=red];\n  \"a\" -> \"b\" [label=\"x\"];\n  \"c\" [label=\"c\", color=gray];\n  \"b\" -> \"c\" [label=\"y\"];\n}\n",
            GraphText.Dot(Graph)
        );

    [Fact]
    public void Mermaid_numbers_the_cells() =>
        Assert.StartsWith(
            "graph TD\n  c0[\"a<br/>x, unused\"]\n  c1[\"b<br/>y\"]:::blocked\n  c0 -->|\"x\"| c1\n  c2[\"c\"]:::disabled\n  c1 -->|\"y\"| c2\n",
            GraphText.Mermaid(Graph),
            StringComparison.Ordinal
        );

    [Fact]
    public void Names_that_mean_something_to_a_drawing_program_are_written_as_its_texts()
    {
        JsonElement graph = JsonDocument
            .Parse(
                """
                {"path":"/n.ipynb","mode":"reactive","cells":[
                  {"cellId":"a\"<b>|#1","state":"ok","stale":true,"definitions":["end"],"references":[],"upstream":[]},
                  {"cellId":"c\\","state":"ok","stale":false,"definitions":[],"references":["end"],"upstream":["a\"<b>|#1"]}]}
                """
            )
            .RootElement;
        Assert.StartsWith(
            "graph TD\n  c0[\"a#34;#60;b#62;|#35;1<br/>end\"]\n  c1[\"c#92;\"]\n  c0 -->|\"end\"| c1\n",
            GraphText.Mermaid(graph),
            StringComparison.Ordinal
        );
        Assert.Contains("  \"a\\\"<b>|#1\" -> \"c\\\\\" [label=\"end\"];\n", GraphText.Dot(graph), StringComparison.Ordinal);
        Assert.Equal("/n.ipynb (reactive)\na\"<b>|#1  defines end  stale\nc\\  <- a\"<b>|#1 (end)\n", GraphText.Plain(graph));
    }

    [Fact]
    public void An_arrow_whose_names_are_gone_from_the_texts_has_none()
    {
        JsonElement graph = JsonDocument
            .Parse(
                """
                {"path":"/n.ipynb","mode":"reactive","cells":[
                  {"cellId":"a","state":"blocked","definitions":["new"],"references":[],"upstream":[]}, {"cellId":"b","state":"ok","definitions":[],"references":["old"],"upstream":["a"]}]}
                """
            )
            .RootElement;
        Assert.Contains("b  <- a\n", GraphText.Plain(graph), StringComparison.Ordinal);
        Assert.Contains("  c0 --> c1\n", GraphText.Mermaid(graph), StringComparison.Ordinal);
    }

    [Fact]
    public void A_reason_that_blocks_very_many_cells_names_some_of_them()
    {
        string cells = string.Join(',', Enumerable.Range(0, 1000).Select(i => $$"""{"cellId":"c{{i}}","reasons":[0]}"""));
        string error = Assert.Single(
            GraphFindings.Errors(
                JsonDocument.Parse($$"""{"cells":[{{cells}}],"reasons":[{"kind":"cycle","message":"a circle"}]}""").RootElement
            )
        );
        Assert.StartsWith("c0, c1, ", error, StringComparison.Ordinal);
        Assert.EndsWith(", c29 and 970 more: cycle: a circle", error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_two_cells_have_done_to_each_other_is_one_error()
    {
        JsonElement graph = JsonDocument
            .Parse(
                """
                {"cells":[{"cellId":"a","reasons":[0]},{"cellId":"b","reasons":[1]}],
                 "reasons":[{"kind":"multipleDefinition","message":"x is written by a, b."},{"kind":"multipleDefinition","message":"x is written by a, b."}]}
                """
            )
            .RootElement;
        Assert.Equal(["a, b: multipleDefinition: x is written by a, b."], GraphFindings.Errors(graph));
    }

    [Fact]
    public void A_check_tells_errors_from_notes()
    {
        Assert.Equal(["b: cycle: a circle"], GraphFindings.Errors(Graph));
        Assert.Equal(
            [
                "a: defines what no cell reads: unused",
                "a: reads what no cell defines: env",
                "a:2: df changes",
                "b: reads its own value of an earlier run: y",
            ],
            GraphFindings.Notes(Graph)
        );
    }
}
