using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Notebooks.Parameters;

namespace Holdfast.Tests.Notebooks.Parameters;

public sealed class NotebookParametersTests
{
    private const string Everything =
        """{"n": null, "t": true, "f": false, "i": -3, "x": 1.50, "e": 1e5, "s": "a\"b\\c\n$x é🎉\u202e'q'", "l": [1, "a", null], "m": {"k": [true]}, "z": []}""";

    [Theory]
    [InlineData(
        "python",
        """
            # Parameters
            n = None
            t = True
            f = False
            i = -3
            x = 1.50
            e = 1e5
            s = "a\"b\\c\n$x é🎉\u202e'q'"
            l = [1, "a", None]
            m = {"k": [True]}
            z = []

            """
    )]
    [InlineData(
        "R",
        """
            # Parameters
            n = NULL
            t = TRUE
            f = FALSE
            i = -3
            x = 1.50
            e = 1e5
            s = "a\"b\\c\n$x é🎉\u202e'q'"
            l = list(1, "a", NULL)
            m = list("k" = list(TRUE))
            z = list()

            """
    )]
    [InlineData(
        "julia",
        """
            # Parameters
            n = nothing
            t = true
            f = false
            i = -3
            x = 1.50
            e = 1e5
            s = "a\"b\\c\n\$x é🎉\u202e'q'"
            l = [1, "a", nothing]
            m = Dict("k" => [true])
            z = []

            """
    )]
    [InlineData(
        "scala",
        """
            // Parameters
            val n = None
            val t = true
            val f = false
            val i = -3
            val x = 1.50
            val e = 1e5
            val s = "a\"b\\c\n$x é🎉\u202e'q'"
            val l = Seq(1, "a", None)
            val m = Map("k" -> Seq(true))
            val z = Seq()

            """
    )]
    public void Values_are_written_as_the_language_writes_them(string language, string source) =>
        Assert.Equal(source, NotebookParameters.Translate(language, Of(Everything)));

    [Fact]
    public void Bash_gets_quoted_text()
    {
        Assert.Equal(
            "# Parameters\na='it'\\''s $HOME `x` \\\nb'\nb=3\nc=true\nd=''\n",
            NotebookParameters.Translate("bash", Of("""{"a": "it's $HOME `x` \\\nb", "b": 3, "c": true, "d": null}"""))
        );
    }

    [Theory]
    [InlineData("bash", """{"a": [1]}""", "cannot be written in Bash")]
    [InlineData("bash", """{"a": {}}""", "cannot be written in Bash")]
    [InlineData("bash", """{"a": "\u0000"}""", "NUL")]
    [InlineData("r", """{"a": "\u0000"}""", "NUL")]
    [InlineData("r", """{"a": {"": 1}}""", "empty name")]
    [InlineData("python", """{"a": "\ud800"}""", "surrogate")]
    [InlineData("python", """{"a b": 1}""", "not the name of a variable")]
    [InlineData("python", """{"1a": 1}""", "not the name of a variable")]
    [InlineData("python", """{"": 1}""", "not the name of a variable")]
    [InlineData("python", """{"class": 1}""", "not the name of a variable")]
    [InlineData("python", """{"a.b": 1}""", "not the name of a variable")]
    [InlineData("python", """{"a\nimport os": 1}""", "not the name of a variable")]
    [InlineData("r", """{"_a": 1}""", "not the name of a variable")]
    [InlineData("r", """{".1": 1}""", "not the name of a variable")]
    [InlineData("bash", """{"é": 1}""", "not the name of a variable")]
    [InlineData("bash", """{"UID": 1}""", "not the name of a variable")]
    [InlineData("scala", """{"val": 1}""", "not the name of a variable")]
    [InlineData("julia", """{"end": 1}""", "not the name of a variable")]
    public void What_the_language_cannot_say_is_refused(string language, string parameters, string why)
    {
        RefusedException refused = Assert.Throws<RefusedException>(() => NotebookParameters.Translate(language, Of(parameters)));
        Assert.Equal(ErrorCodes.ParametersInvalid, refused.Code);
        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("python", "_x1")]
    [InlineData("Python", "naïve")]
    [InlineData("R", "a.b_c")]
    [InlineData("julia", "go!")]
    [InlineData("bash", "_A9")]
    public void Names_of_the_language_are_taken(string language, string name) =>
        Assert.Contains(
            name,
            NotebookParameters.Translate(language, [KeyValuePair.Create(name, NotebookParameters.ParseArgument("1"))]),
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("cobol")]
    [InlineData(null)]
    public void An_unknown_language_is_refused_with_the_known_ones(string? language)
    {
        RefusedException refused = Assert.Throws<RefusedException>(() => NotebookParameters.Translate(language, Of("""{"a": 1}""")));
        Assert.Equal(ErrorCodes.ParametersUnsupported, refused.Code);
        Assert.Contains("Python, R, Julia, Bash, Scala", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Large_whole_numbers_keep_their_value_in_Scala() =>
        Assert.Equal(
            "// Parameters\nval a = 2147483647\nval b = 2147483648L\nval c = BigInt(\"9223372036854775808\")\n",
            NotebookParameters.Translate("scala", Of("""{"a": 2147483647, "b": 2147483648, "c": 9223372036854775808}"""))
        );

    [Fact]
    public void Of_equal_names_the_last_counts() =>
        Assert.Equal(
            "# Parameters\na = 3\nb = 2\n",
            NotebookParameters.Translate("python", [.. Of("""{"a": 1}"""), .. Of("""{"b": 2}"""), .. Of("""{"a": 3}""")])
        );

    [Theory]
    [InlineData("1", "1")]
    [InlineData("-1.5e3", "-1.5e3")]
    [InlineData("123456789012345678901", "123456789012345678901")]
    [InlineData("true", "true")]
    [InlineData("True", "true")]
    [InlineData("False", "false")]
    [InlineData("null", "null")]
    [InlineData("None", "null")]
    [InlineData("TRUE", "\"TRUE\"")]
    [InlineData("007", "\"007\"")]
    [InlineData("1 ", "\"1 \"")]
    [InlineData("", "\"\"")]
    [InlineData("[1]", "\"[1]\"")]
    [InlineData("1,2", "\"1,2\"")]
    [InlineData("2026-01-01", "\"2026-01-01\"")]
    [InlineData("nan", "\"nan\"")]
    [InlineData("a\"b", "\"a\\u0022b\"")]
    public void Command_line_values_are_typed(string text, string json) =>
        Assert.Equal(json, NotebookParameters.ParseArgument(text).GetRawText());

    [Fact]
    public void With_a_parameters_cell_the_values_go_after_it()
    {
        NotebookFile notebook = Notebook(
            """{"source": "first"}, {"source": "a = 1", "metadata": {"tags": ["parameters"]}}, {"source": "last"}"""
        );
        NotebookCell? cell = NotebookParameters.Inject(notebook, "python", Of("""{"a": 2}"""));
        Assert.Equal(["first", "a = 1", "# Parameters\na = 2\n", "last"], notebook.Cells.Select(each => each.Source));
        Assert.Equal((2, "injected-parameters"), (cell!.Index, Assert.Single(cell.Tags)));
    }

    [Fact]
    public void Without_one_they_go_to_the_top()
    {
        NotebookFile notebook = Notebook("""{"source": "first"}""");
        _ = NotebookParameters.Inject(notebook, "python", Of("""{"a": 2}"""));
        Assert.Equal(["# Parameters\na = 2\n", "first"], notebook.Cells.Select(each => each.Source));
        NotebookFile empty = NotebookFile.Parse(GoldenNotebooks.Bytes("empty.ipynb"), "n");
        _ = NotebookParameters.Inject(empty, "python", Of("""{"a": 2}"""));
        Assert.Contains(
            "  \"source\": [\n    \"# Parameters\\n\",\n    \"a = 2\\n\"\n   ]\n  }\n ],\n \"metadata\"",
            Encoding.UTF8.GetString(empty.ToBytes()),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_second_run_replaces_them_and_keeps_the_cell_s_id()
    {
        NotebookFile notebook = Notebook(
            """{"source": "a = 1", "metadata": {"tags": ["parameters"]}}, {"source": "old", "metadata": {"tags": ["x", "injected-parameters"]}, "outputs": [{}], "execution_count": 4}"""
        );
        string? id = notebook.Cells[1].Id;
        NotebookCell? cell = NotebookParameters.Inject(notebook, "python", Of("""{"a": 2}"""));
        Assert.Equal(["a = 1", "# Parameters\na = 2\n"], notebook.Cells.Select(each => each.Source));
        Assert.Equal((id, null), (cell!.Id, cell.ExecutionCount));
        Assert.DoesNotContain("[{}]", Encoding.UTF8.GetString(notebook.ToBytes()), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_and_an_empty_set_leave_the_notebook_alone()
    {
        NotebookFile notebook = Notebook("""{"source": "first", "id": "i"}""");
        Assert.Null(NotebookParameters.Inject(notebook, "cobol", []));
        _ = Assert.Throws<RefusedException>(() => NotebookParameters.Inject(notebook, "python", Of("""{"a": 1, "b c": 2}""")));
        Assert.False(notebook.IsChanged);
    }

    private static KeyValuePair<string, JsonElement>[] Of(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateObject().Select(member => KeyValuePair.Create(member.Name, member.Value.Clone()))];
    }

    private static NotebookFile Notebook(string cells) =>
        NotebookFile.Parse(
            Encoding.UTF8.GetBytes(
                $$"""{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{{cells.Replace("{\"source\"", "{\"cell_type\": \"code\", \"source\"", StringComparison.Ordinal)}}]}"""
            ),
            "n"
        );
}
