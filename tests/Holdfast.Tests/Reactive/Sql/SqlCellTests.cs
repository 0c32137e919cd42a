using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Sql;

namespace Holdfast.Tests.Reactive.Sql;

public sealed class SqlCellTests
{
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
        Assert.Contains(@"['select ', ', \'{b}\', json \'{""c"": 1}\' where x = ', ' and y = {1}'], ['a', 'd.e[0]']", code, StringComparison.Ordinal);
    }
}
