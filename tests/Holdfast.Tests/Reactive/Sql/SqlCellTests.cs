using System.Diagnostics;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Sql;
using Holdfast.Tests.Tidy;

namespace Holdfast.Tests.Reactive.Sql;

public sealed class SqlCellTests
{
    /// <summary>
    /// Against SQLite, and against stand-ins that behave as DuckDB and a server do where that matters: neither is at hand in every place
    /// where tests run.
    /// </summary>
    [Fact]
    public async Task The_module_binds_values_keeps_results_and_hides_passwords()
    {
        string script = Path.Combine(Repository.Root, "tests/Holdfast.Tests/Reactive/Sql/sql_module.py");
        string module = Path.Combine(Repository.Root, "src/Holdfast.Engine/Reactive/Sql/holdfast_sql.py");
        using var process = Process.Start(new ProcessStartInfo("python3", ["-I", script, module]) { RedirectStandardError = true })!;
        string error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal("", error);
    }

    [Fact]
    public void The_head_names_the_result_the_variable_and_the_number_of_rows()
    {
        SqlCell cell = SqlCell.Parse("%%sql top --dsn WAREHOUSE --rows 5\nselect 1;");

        Assert.Equal(("top", "WAREHOUSE", 5), (cell.Target, cell.DsnVariable, cell.Rows));
    }

    [Theory]
    [InlineData("%%sql a b\nselect 1")]
    [InlineData("%%sql --dsn postgresql://me:secret@host/db\nselect 1")]
    [InlineData("%%sql --rows 0\nselect 1")]
    [InlineData("%%sql a\n  ")]
    public void What_cannot_be_read_is_an_error(string source) => Assert.NotNull(SqlAnalyser.Analyse(source).Error);

    [Theory]
    [InlineData("select 'a", "' in line 3 has no end.")]
    [InlineData("select 1\n/* a", "/* in line 4 has no end.")]
    [InlineData("select $x$ $y$", "$x$ in line 3 has no end.")]
    [InlineData("select (1", "( in line 3 is not closed.")]
    [InlineData("select 1)", ") in line 3 closes nothing.")]
    [InlineData("select [1)", ") in line 3 closes nothing.")]
    [InlineData("select 1;\ndrop table t", "There is one statement in a cell; another begins in line 4.")]
    [InlineData("select ';', $$;$$, E'\\';' -- ;\n;;", null)]
    [InlineData("create trigger t after insert on a begin select 1; select 2; end", null)]
    public void What_no_dialect_allows_is_told_when_it_is_typed(string statement, string? error) =>
        Assert.Equal(error, SqlAnalyser.Analyse($"%%sql\n\n{statement}").Error?.Message);

    [Theory]
    [InlineData("%%sql\nselect 1", true)]
    [InlineData("\n%%sql x\nselect 1", true)]
    [InlineData("%%sqlite\nselect 1", false)]
    [InlineData("print('%%sql')", false)]
    public void It_is_known_by_its_first_word(string source, bool isSql) => Assert.Equal(isSql, SqlAnalyser.IsSql(source));

    [Fact]
    public void Parameters_are_taken_out_of_the_text_and_a_brace_that_is_none_stays()
    {
        SqlCell cell = SqlCell.Parse("%%sql\nselect {a}, '{b}', json '{\"c\": 1}' where x = { d.e[0] } and y = {1}");

        Assert.Equal(["a", "d.e[0]"], cell.Parameters);
        Assert.Equal(["select ", ", '{b}', json '{\"c\": 1}' where x = ", " and y = {1}"], cell.Pieces);
        string code = SqlCode.Of(cell);
        Assert.Contains(
            @"['select ', ', \'{b}\', json \'{""c"": 1}\' where x = ', ' and y = {1}'], ['a', 'd.e[0]']",
            code,
            StringComparison.Ordinal
        );
    }
}
