using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Conversion;
using Holdfast.Engine.Reactive.Python;
using Holdfast.Tests.Tidy;

namespace Holdfast.Tests.Reactive.Conversion;

/// <summary>
/// Goal: a converted notebook gives what the linear one gave, and of what is in doubt nothing is touched. Method: tables by hand; and
/// notebooks made from a grammar, which a real Python runs from top to bottom before, and in the order of a cascade after the conversion.
/// </summary>
public sealed class ConversionPlanTests(PythonAnalyserTests.Python python) : IClassFixture<PythonAnalyserTests.Python>
{
    private const int Notebooks = 150;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("df = load()  # df|df = df.dropna()|print(df)", "df = load()  # df|df_1 = df.dropna()|print(df_1)")]
    [InlineData("df = 1|df = df + 1|df = df + 1|df", "df = 1|df_1 = df + 1|df_2 = df_1 + 1|df_2")]
    [InlineData("for x in a: print(x)|for x in b: print(x)", "for _x in a: print(_x)|for _x in b: print(_x)")]
    [InlineData("for i in a: f(i)|for i in b: f(i)", "for _i_ in a: f(_i_)|for _i_ in b: f(_i_)")] // _i is IPython's.
    [InlineData("x = 1\nprint(x)|x = 2\nprint(x)", "_x = 1\nprint(_x)|x = 2\nprint(x)")]
    [InlineData("x = 1|y = x|x = 2|z = x", "x = 1|y = x|x_1 = 2|z = x_1")]
    [InlineData("x = 1 # x_1|y = x|x = 2", "x = 1 # x_1|y = x|x_2 = 2")]
    [InlineData("n = 0|print(n)|n += 5", "n = 0|print(n)|n_1 = n + 5")]
    [InlineData("n = 2|print(n)|n *= 5 - 3  # twice", "n = 2|print(n)|n_1 = n * (5 - 3)  # twice")]
    [InlineData("s = 'a'|print(s)|s = f'{s!r:>{len(s)}} s {s}'|print(s)", null)] // s is a word in a text.
    [InlineData("k = 'a'|print(k)|k = f'{k!r:>{len(k)}}{k}'|print(k)", "k = 'a'|print(k)|k_1 = f'{k!r:>{len(k)}}{k}'|print(k_1)")]
    [InlineData("x = 1|print(x)|if c:\n  x = 2\nelse:\n  x = 3|print(x)", "x = 1|print(x)|if c:\n  x_1 = 2\nelse:\n  x_1 = 3|print(x_1)")]
    [InlineData("x = 1|x = 2\ng = [x for x in range(x)]|print(x)", "_x = 1|x = 2\ng = [x for x in range(x)]|print(x)")]
    [InlineData("a = b = 1|print(a)|é = 'ä'; a = (a,\n  a)|print(a)", "a = b = 1|print(a)|é = 'ä'; a_1 = (a,\n  a)|print(a_1)")]
    [InlineData("x = 1|print(x)|x = 2|def f():\n  return x|f()", "x = 1|print(x)|x_1 = 2|def f():\n  return x_1|f()")]
    [InlineData("x = 1|print(x)|%matplotlib inline\n!ls\nx = 2|print(x)", "x = 1|print(x)|%matplotlib inline\n!ls\nx_1 = 2|print(x_1)")]
    [InlineData("x = 1|print(x)|%%time\nx = x + 1|print(x)", "x = 1|print(x)|%%time\nx_1 = x + 1|print(x_1)")]
    [InlineData(
        "with open(p) as f: d = f.read()|print(d)|with open(q) as f: d = f.read()|print(d)",
        "with open(p) as _f: d = _f.read()|print(d)|with open(q) as _f: d_1 = _f.read()|print(d_1)"
    )]
    public async Task What_is_known_of_every_place_is_renamed(string before, string? after) =>
        Assert.Equal(after ?? before, string.Join('|', await ConvertAsync(before)));

    [Theory]
    [InlineData("x = 1|print(x)|if c:\n  x = 2|print(x)", "on some paths only")]
    [InlineData("x = 1|def f(): return x|x = 2|f()", "depends on when it is called")]
    [InlineData("l = [1]|print(l)|l += [2]|print(l)", "in place")]
    [InlineData("l = [1]|print(l)|l += (2,)|print(l)", "in place")]
    [InlineData("x = 1|print(x)|for q in a:\n  print(x)\n  x = 2", "may be that cell's or an earlier one's")]
    [InlineData("x = 1|print(x)|x = 2|df.query('a > @x')", "a text")]
    [InlineData("x = 1|x = 2|eval('x')", "eval")]
    [InlineData("x = 1|x = 2|print(globals())", "globals")]
    [InlineData("x = 1|x = 2|%run other.py", "%run")]
    [InlineData("x = 1|x = 2|%%R -i x\nplot(x)", "a line of IPython's")]
    [InlineData("x = 1|x = 2|%%julia\nplot(x)", "%%julia")]
    [InlineData("x = 1|x = 2|%time f(x)", "a line of IPython's")]
    [InlineData("x = 1|x = 2|!echo $x", "a line of IPython's")]
    [InlineData("x = 1|print(x)|def x(): pass", "def")]
    [InlineData("x = 1|print(x)|from m import x", "imported")]
    [InlineData("x = 1|print(x)|try: pass\nexcept E as x: pass\nx = 2", "except")]
    [InlineData("x = 1|print(x)|x = 2\ndel x\nx = 3", "del")]
    [InlineData("x = 1|print(x)|x = 2\nclass C:\n  x = x", "a class")]
    [InlineData("x = 1|print(x)|def f():\n  global x\n  x = 2", "a function")]
    [InlineData("x = 1|print(x)|match v:\n  case [x]: pass\nx = 2", "a pattern")]
    [InlineData("print(x)|x = 1|x = 2", "before any cell defines it")]
    [InlineData("x = 1|x = 2|%%sql r\nSELECT {x}", "(sql)")]
    [InlineData("x = 1|x = 2|from m import *", "cannot be read")]
    [InlineData("x = 1|x = 2|x = (", "cannot be read")]
    [InlineData("x = 1|print(x)|x = 2\ng = (x for y in z)\nx = 3", "depends on when")]
    [InlineData("x = 1|print(x)|x += (1)", "cannot be told exactly")]
    [InlineData("x = 1|print(x)|if c: x = 2", "on some paths only")]
    [InlineData("x = 1|print(x)|with suppress(E):\n  x = f()|print(x)", "on some paths only")]
    public async Task What_is_in_doubt_is_left_as_it_is_with_the_reason(string before, string why)
    {
        LinearCell[] cells = await CellsAsync(before.Split('|'));
        (ConversionPlan plan, string[] texts) = await TextsAsync(cells);
        Assert.Equal(before, string.Join('|', texts));
        Assert.Contains(why, Assert.Single(plan.Histories, h => h.Name is "x" or "l").Obstacle, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cell_of_parameters_keeps_its_names()
    {
        LinearCell[] cells = await CellsAsync(["x = 1", "x = 2", "print(x)"]);
        cells[1] = cells[1] with { IsParameters = true };
        Assert.Equal("_x = 1|x = 2|print(x)", string.Join('|', (await TextsAsync(cells)).Texts));
        cells = await CellsAsync(["x = 1", "print(x)", "x = 2", "print(x)"]);
        cells[2] = cells[2] with { IsParameters = true };
        Assert.Contains("parameters", (await TextsAsync(cells)).Plan.Histories.Single().Obstacle, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Findings_say_what_would_be_otherwise()
    {
        string[] sources =
        [
            "print(x)",
            "x = 1\ny = gone",
            "def f(): return z",
            "df = 1",
            "df['a'] = z",
            "z = 1",
            "n = n + 1",
            "def g():\n  global w\n  w = 1",
            "del df",
        ];
        LinearCell[] cells = await CellsAsync(sources);
        cells[0] = cells[0] with { ExecutionCount = 5 };
        cells[1] = cells[1] with { ExecutionCount = 3 };
        var plan = ConversionPlan.Of(cells, new Dictionary<string, string>());
        IReadOnlyList<Finding> findings = LinearFindings.Of(plan, RegistryOf(cells, cells.Select(c => c.Analysis)));
        Assert.Equal(
            [
                "0:1 readBeforeDefinition x",
                "1:0 executionOrder ",
                "1:2 hiddenState gone",
                "2:1 functionReadsLater z",
                "4:1 readBeforeDefinition z",
                "4:1 mutation df",
                "6:1 hiddenState n",
                "7:0 globalWrite w",
                "8:0 deletion df",
            ],
            findings.Select(f => $"{f.CellIndex}:{f.Line} {f.Kind} {f.Name}")
        );
    }

    [Fact]
    public async Task Generated_notebooks_give_the_same_when_they_are_converted()
    {
        string[] lines = await PythonAsync(["generate", "0", $"{Notebooks}"], []);
        Converted?[] all = await Task.WhenAll(lines.Select(ConvertGeneratedAsync));
        List<Converted> runs = [.. all.OfType<Converted>()];
        string[] after = await PythonAsync(
            ["run"],
            runs.Select(r => $"[{string.Join(',', r.Order.Select(t => $"\"{JsonEncodedText.Encode(t)}\""))}]")
        );
        for (int i = 0; i < runs.Count; i++)
        {
            (JsonElement notebook, ConversionPlan plan, string[] order) = (runs[i].Notebook, runs[i].Plan, runs[i].Order);
            Dictionary<string, string> last = plan.FinalNames.ToDictionary(n => n.Name, n => n.Last);
            using JsonDocument found = JsonDocument.Parse(after[i]);
            foreach (
                JsonProperty name in notebook
                    .GetProperty("final")
                    .EnumerateObject()
                    .Where(n => !last.GetValueOrDefault(n.Name, "x").StartsWith('_'))
            )
            {
                string now = last.GetValueOrDefault(name.Name, name.Name);
                Assert.True(
                    found.RootElement.TryGetProperty(now, out JsonElement value) && value.GetRawText() == name.Value.GetRawText(),
                    $"{notebook.GetProperty("seed")}: {name.Name} was {name.Value}, and {now} is not in {after[i]}\n{string.Join("\n---\n", notebook.GetProperty("cells").EnumerateArray().Select(c => c.GetString()))}\n=====\n{string.Join("\n---\n", order)}"
                );
            }
        }

        int renamed = runs.Count(r => r.Plan.Changes().Count > 0);
        Assert.True(renamed > Notebooks / 10, $"{lines.Length} notebooks, {runs.Count} converted, {renamed} of them renamed");
    }

    private sealed record Converted(JsonElement Notebook, ConversionPlan Plan, string[] Order);

    /// <summary>Null where cells would be blocked.</summary>
    private async Task<Converted?> ConvertGeneratedAsync(string line)
    {
        JsonElement notebook = JsonDocument.Parse(line).RootElement;
        LinearCell[] cells = await CellsAsync([.. notebook.GetProperty("cells").EnumerateArray().Select(c => c.GetString()!)]);
        (ConversionPlan plan, string[] texts) = await TextsAsync(cells);
        CellRegistry registry = RegistryOf(cells, await Task.WhenAll(texts.Select(t => python.Analyser.AnalyseAsync(t, Cancel))));
        return registry.NotRunnable.Count > 0
            ? null
            : new Converted(
                notebook,
                plan,
                [
                    .. RunPlan
                        .For(registry, [.. registry.Cells], null)
                        .Cells.Select(c => texts[int.Parse(c.Cell.Value, CultureInfo.InvariantCulture)]),
                ]
            );
    }

    private async Task<string[]> ConvertAsync(string sources) => (await TextsAsync(await CellsAsync(sources.Split('|')))).Texts;

    private async Task<LinearCell[]> CellsAsync(string[] sources) =>
        await Task.WhenAll(
            sources.Select(
                async (s, i) =>
                {
                    (CellAnalysis analysis, CellBindings? bindings) = SqlAnalyser.IsSql(s)
                        ? (SqlAnalyser.Analyse(s), null)
                        : await python.Analyser.BindAsync(s, Cancel);
                    return new LinearCell(i, new CellId($"{i}"), s, analysis, bindings);
                }
            )
        );

    private async Task<(ConversionPlan Plan, string[] Texts)> TextsAsync(LinearCell[] cells)
    {
        (ConversionPlan plan, Dictionary<CellId, string> texts) = await ConvertLinearNotebook.PlanAsync(python.Analyser, cells, Cancel);
        return (plan, [.. cells.Select(c => texts.GetValueOrDefault(c.Id, c.Source))]);
    }

    private static CellRegistry RegistryOf(LinearCell[] cells, IEnumerable<CellAnalysis> analyses) =>
        CellRegistry.Load([
            .. cells.Zip(
                analyses,
                (c, a) => new LoadedCell(c.Id, a, a.Error is null ? CellRegistration.Of(a) : CellRegistration.Empty, IsDisabled: false)
            ),
        ]);

    private static async Task<string[]> PythonAsync(string[] arguments, IEnumerable<string> lines)
    {
        string script = Path.Combine(Repository.Root, "tests/Holdfast.Tests/Reactive/Conversion/linear.py");
        using var process = Process.Start(
            new ProcessStartInfo("python3", ["-I", script, .. arguments]) { RedirectStandardOutput = true, RedirectStandardInput = true }
        )!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(Cancel);
        foreach (string line in lines)
        {
            await process.StandardInput.WriteLineAsync(line);
        }

        process.StandardInput.Close();
        await process.WaitForExitAsync(Cancel);
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
