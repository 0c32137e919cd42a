using Holdfast.Engine.Reactive;

namespace Holdfast.Tests.Reactive;

/// <summary>What a cell of SQL defines, binds and reads.</summary>
public sealed class SqlAnalyserTests
{
    [Theory]
    [InlineData("%%sql\nSELECT 1", "", "", "")]
    [InlineData(
        "%%sql result\nSELECT * FROM orders o JOIN \"my table\" t ON o.id = t.id WHERE year = {year}",
        "result",
        "year",
        "my table orders"
    )]
    [InlineData("%%sql result <<\nselect '{no}', \"from\" -- from nowhere {no}\n/* {no} */ from a", "result", "", "a")]
    [InlineData("%%sql\nWITH x AS (SELECT * FROM y), z AS (SELECT * FROM x) SELECT * FROM z", "", "", "y")]
    [InlineData("%%sql\nCREATE OR REPLACE TABLE IF NOT EXISTS t AS SELECT * FROM s;", "t", "", "s")]
    [InlineData("%%sql\nSELECT * FROM 'people.csv' p, $$from x$$ WHERE a = E'it\\'s from y'", "", "", "")]
    [InlineData("%%sql r\nSELECT * FROM main.orders WHERE id = {row.id}", "r", "row", "")]
    [InlineData("%%sql _r\nSELECT {_p}", "", "", "")]
    [InlineData("%%sql\nSELECT people.name, m.y FROM people JOIN m ON people.id = m.x.y", "", "", "m people")]
    [InlineData(
        "%%sql\nSELECT a, b FROM t x, u AS y, main.v, (SELECT p, q FROM r) s, w WHERE f(a, z) IN (b, c) ORDER BY a, b",
        "",
        "",
        "r t u w"
    )]
    [InlineData("%%sql\nSELECT extract(year FROM d), a IS DISTINCT FROM b, (SELECT 1) FROM t GROUP BY e, f", "", "", "t")]
    public void Names_are_taken_from_any_dialect(string source, string definitions, string references, string weak)
    {
        CellAnalysis analysis = SqlAnalyser.Analyse(source);
        Assert.Equal(
            (definitions, references, weak),
            (string.Join(' ', analysis.Definitions), string.Join(' ', analysis.References), string.Join(' ', analysis.Weak))
        );
    }

    [Fact]
    public void A_result_has_a_name_or_none() =>
        Assert.Equal(AnalysisErrorKind.SyntaxError, SqlAnalyser.Analyse("%%sql a-b\nSELECT 1").Error!.Kind);

    [Theory]
    [InlineData("%%sql", true)]
    [InlineData("\n %%sql r\nSELECT 1", true)]
    [InlineData("%%sqlite\n", false)]
    [InlineData("x = '%%sql'", false)]
    public void Sql_is_known_by_its_first_line(string source, bool isSql) => Assert.Equal(isSql, SqlAnalyser.IsSql(source));
}
