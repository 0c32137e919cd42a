using System.Text.Json;
using Holdfast.Server.Cli.Graphs;

namespace Holdfast.Tests.Cli;

/// <summary>A graph as `holdfast notebook graph` and `check` show it.</summary>
public sealed class GraphTextTests
{
    private static readonly JsonElement Graph = JsonDocument.Parse("""
        {"path":"/n.ipynb","mode":"reactive","autorun":false,"cells":[
          {"cellId":"a","state":"ok","definitions":["x","unused"],"references":["env"],"upstream":[],"mutations":[{"variable":"df","line":2,"hint":"df changes"}]},
          {"cellId":"b","state":"blocked","reason":"cycle","reasons":[0],"definitions":["y"],"references":["x","y"],"upstream":["a"]},
          {"cellId":"c","state":"disabled","definitions":[],"references":["y"],"upstream":["b"],"blockedBy":["b"]}],
         "reasons":[{"kind":"cycle","message":"a circle"}]}
        """).RootElement;

    [Fact]
    public void Text_has_a_line_for_each_cell_and_says_why_one_is_blocked() => Assert.Equal(
        "/n.ipynb (reactive)\na  defines x, unused\nb  defines y  <- a (x)\n    blocked, cycle: a circle\nc  <- b (y)  disabled\n    needs b, which may not run\n", GraphText.Plain(Graph));

    [Fact]
    public void Dot_has_boxes_and_arrows_with_names() => Assert.Equal(
        "digraph notebook {\n  node [shape=box];\n  \"a\" [label=\"a\\nx, unused\"];\n  \"b\" [label=\"b\\ny\", color=red];\n  \"a\" -> \"b\" [label=\"x\"];\n  \"c\" [label=\"c\", color=gray];\n  \"b\" -> \"c\" [label=\"y\"];\n}\n",
        GraphText.Dot(Graph));

    [Fact]
    public void Mermaid_numbers_the_cells() => Assert.StartsWith(
        "graph TD\n  c0[\"a<br/>x, unused\"]\n  c1[\"b<br/>y\"]:::blocked\n  c0 -->|x| c1\n  c2[\"c\"]:::disabled\n  c1 -->|y| c2\n", GraphText.Mermaid(Graph), StringComparison.Ordinal);

    [Fact]
    public void A_check_tells_errors_from_notes()
    {
        Assert.Equal(["b: cycle: a circle"], GraphFindings.Errors(Graph));
        Assert.Equal(
            ["a: defines what no cell reads: unused", "a: reads what no cell defines: env", "a:2: df changes", "b: reads its own value of an earlier run: y"], GraphFindings.Notes(Graph));
    }
}
