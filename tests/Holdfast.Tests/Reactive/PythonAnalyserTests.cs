using System.Diagnostics;
using System.Text.Json;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Python;
using Holdfast.Tests.Store;
using Holdfast.Tests.Tidy;

namespace Holdfast.Tests.Reactive;

/// <summary>
/// Goal: names as Python has them. Method: a table of sources by hand, and programs made from a grammar, which a real Python has run before
/// with its globals watched: what it read and what it left is what the analyser, who runs nothing, must have said.
/// </summary>
public sealed class PythonAnalyserTests(PythonAnalyserTests.Python python) : IClassFixture<PythonAnalyserTests.Python>
{
    private const int Programs = 400;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public sealed class Python : IDisposable
    {
        internal PythonAnalyser Analyser { get; } = new("python3", static () => { }, TimeProvider.System, TimeSpan.FromSeconds(60));

        public void Dispose() => Analyser.Dispose();
    }

    [Theory]
    [InlineData("x = 1", "x", "")]
    [InlineData("y = x + 1", "y", "x")]
    [InlineData("x = x + 1", "x", "x")]
    [InlineData("x += 1", "x", "x")]
    [InlineData("def f(a=d):\n  return a + g", "f", "d g")]
    [InlineData("def f():\n  x = 1\n  return x", "f", "")]
    [InlineData("@dec\nclass A(Base, metaclass=M):\n  z = q\n  w = z\n  def m(self): return u", "A", "Base M dec q u")]
    [InlineData("class C:\n  x = x", "C", "x")]
    [InlineData("r = [i for i in xs if i > k]", "r", "k xs")]
    [InlineData("{k: v for k, v in d.items()}", "", "d")]
    [InlineData("lambda u: u + free", "", "free")]
    [InlineData("(n := m) + n", "n", "m")]
    [InlineData("[last := i for i in r]", "last", "r")]
    [InlineData("match cmd:\n  case [x, *rest]: pass\n  case {'a': b, **o}: pass\n  case P(c=q) as w: pass", "b o q rest w x", "P cmd")]
    [InlineData("def f():\n  global n\n  n += 1", "f n", "")]
    [InlineData("def f():\n  v = 1\n  def g():\n    nonlocal v\n    v += w\n  return g", "f", "w")]
    [InlineData("x: int = y", "x", "y")]
    [InlineData("x: List[int]", "", "List")]
    [InlineData("x: x = 1", "x", "")]
    [InlineData("f = lambda: [[v for p in (v or [1])] for q in [{v: w for v in (1,)}]]", "f", "v w")]
    [InlineData("def f(a: T) -> U: pass", "f", "T U")]
    [InlineData("print(f'{a!r} {b:{c}}')", "", "a b c")]
    [InlineData("_p = q; r = _p", "r", "q")]
    [InlineData("for i in r: pass", "i", "r")]
    [InlineData("with o(p) as f, g() as (h, i): pass", "f h i", "g o p")]
    [InlineData("await foo()\nr = [i async for i in agen()]", "r", "agen foo")]
    [InlineData("try:\n  a()\nexcept E as e:\n  print(e)", "", "E a")]
    [InlineData("import os.path, numpy as np\nfrom a.b import c as d", "d np os", "")]
    [InlineData("from __future__ import annotations\nx = 1", "x", "")]
    [InlineData("df['a'] = df['b']", "", "df")]
    [InlineData("!ls {d} $HOME", "", "d")]
    [InlineData("x = !ls {pat}", "x", "pat")]
    [InlineData("%time z = f(x)", "z", "f x")]
    [InlineData("%timeit -n 10 f(x)", "", "f x")]
    [InlineData("%%time\nt = u", "t", "u")]
    [InlineData("%%timeit\ns = sum(v)", "", "v")]
    [InlineData("%%capture out\nprint(q)", "out", "q")]
    [InlineData("%%bash --out text\necho $x", "text", "")]
    [InlineData("%matplotlib inline\nplt.plot(x)", "", "plt x")]
    [InlineData("x?", "", "")]
    [InlineData("?foo.bar", "", "")]
    [InlineData("s = '''\n%not magic\n!no\n'''\nv = s", "s v", "")]
    [InlineData("if a:\n    !echo hi \\\n   there\n    k = 1", "k", "a")]
    [InlineData("x = 5 % y", "x", "y")]
    [InlineData("%timeit -n1 x = y", "", "y")]
    [InlineData("%timeit -n 3 for i in r: f(i, [k for k in v])", "", "f r v")]
    [InlineData("if a:\n  %timeit with o as p: p(q)", "", "a o q")]
    [InlineData("x = %timeit -o -n 3 f(y)", "x", "f y")]
    [InlineData("%prun -q -s cumtime -l 10 z = f(x)", "z", "f x")]
    [InlineData("%lprun -f m.g f(x)", "", "f m x")]
    [InlineData("%%capture --no-stderr out\nprint(q)", "out", "q")]
    [InlineData("%store -r a b", "a b", "")]
    [InlineData("%store a b", "", "a b")]
    [InlineData("%R -i df,b -o out f(df)", "out", "b df")]
    [InlineData("%%cython\ncpdef int f(int a): return a\ncdef class K: pass", "K f", "")]
    [InlineData("pip install {package}", "", "package")]
    [InlineData("ls -l", "", "")]
    [InlineData("run(x)", "", "run x")]
    [InlineData("/f x y", "", "f x y")]
    [InlineData("try:\n  x = 1\nfinally:\n  del x", "", "")]
    [InlineData("try:\n  a()\nexcept* E as e:\n  b(e)\n  k = 1", "k", "E a b")]
    [InlineData("def f():\n  def g():\n    global n\n    n = 1\n  g()", "f n", "")]
    [InlineData("match p:\n  case [a, *b] if a > lim: r = a\n  case K(x=1, y=c) | K(x=2, y=c): pass", "a b c r", "K lim p")]
    [InlineData("@(dec := make(q))\ndef f(g=lambda x=d: x): pass", "dec f", "d make q")]
    [InlineData("import a.b as c\n__all__ = ['c']", "c", "")]
    public async Task Names_are_as_Python_has_them(string source, string definitions, string references)
    {
        CellAnalysis analysis = await python.Analyser.AnalyseAsync(source, Cancel);
        Assert.Null(analysis.Error);
        Assert.Equal(
            $"{definitions} | {references}",
            $"{string.Join(' ', analysis.Definitions)} | {string.Join(' ', analysis.References)}"
        );
    }

    [Theory]
    [InlineData("t = 1\ndel t", "t")]
    [InlineData("del x", "x")]
    [InlineData("try: pass\nexcept E as e: pass", "e")]
    [InlineData("x = 1\nif c:\n  del x", "")]
    public async Task Names_that_are_taken_away_are_no_definitions(string source, string deletions) =>
        Assert.Equal(deletions, string.Join(' ', (await python.Analyser.AnalyseAsync(source, Cancel)).Deletions));

    [Theory]
    [InlineData("df['a'] = 1", "df")]
    [InlineData("obj.attr += 1", "obj")]
    [InlineData("del d[0]", "d")]
    [InlineData("def g():\n  df.loc[0] = 1", "df")]
    [InlineData("a.b.c(1)[2] = 3", "a")]
    [InlineData("x = {}\nx['a'] = 1", "")]
    [InlineData("rows.append(1)", "rows")]
    [InlineData("df.drop(columns=['a'], inplace=True)", "df")]
    [InlineData("def g():\n  rows.sort()", "rows")]
    [InlineData("last = rows.pop()\nprint(rows.count(1))\nos.remove('f')", "")]
    [InlineData("globals()['a'] = 1", "globals")]
    [InlineData("%run other.py", "%run")]
    [InlineData("run other.py", "%run")]
    [InlineData("%store -r", "%store")]
    [InlineData("print(_x, _, __name__, _12)", "_x")]
    [InlineData("_x = 1\nprint(_x)\ndel _x", "")]
    [InlineData("exec('a = 1')\nf = eval('a')", "exec eval")]
    [InlineData("def g(x):\n  x.a = 1", "")]
    public async Task A_write_into_another_cells_object_is_told_with_a_hint(string source, string names)
    {
        CellAnalysis analysis = await python.Analyser.AnalyseAsync(source, Cancel);
        Assert.Equal(names, string.Join(' ', analysis.Mutations.Select(m => m.Name)));
        Assert.All(analysis.Mutations, m => Assert.Contains(m.Name, m.Hint, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("x = 1\nfrom m import *", AnalysisErrorKind.StarImport, 2)]
    [InlineData("%pylab", AnalysisErrorKind.StarImport, 0)]
    [InlineData("x = (1", AnalysisErrorKind.SyntaxError, 1)]
    [InlineData("x = 1\nreturn x", AnalysisErrorKind.SyntaxError, 2)]
    public async Task A_text_that_cannot_be_registered_says_why(string source, AnalysisErrorKind kind, int line)
    {
        AnalysisError error = (await python.Analyser.AnalyseAsync(source, Cancel)).Error!;
        Assert.Equal((kind, line), (error.Kind, error.Line));
    }

    [Fact]
    public async Task The_same_import_is_the_same_and_builtins_are_weak()
    {
        CellAnalysis one = await python.Analyser.AnalyseAsync("import os\nprint(os)", Cancel);
        CellAnalysis other = await python.Analyser.AnalyseAsync("import os.path", Cancel);
        CellAnalysis renamed = await python.Analyser.AnalyseAsync("import os\nos = 5", Cancel);
        Assert.Equal(("os", "os"), (one.Imports["os"], other.Imports["os"]));
        Assert.Empty(renamed.Imports);
        Assert.Equal(["print"], one.Weak);
        Assert.Empty(one.References);
    }

    [Fact]
    public async Task What_later_Pythons_have_is_read_where_the_kernel_has_it()
    {
        CellAnalysis alias = await python.Analyser.AnalyseAsync(
            "type X[T: B] = list[T] | Y\ndef f[S](a: S, b: U) -> S: return S, g\nclass A[R](Base[R]):\n  def m(self, r: R) -> Q: return R",
            Cancel
        );
        if (alias.Error is null)
        {
            Assert.Equal(("A X f", "B Base Q U Y g"), (string.Join(' ', alias.Definitions), string.Join(' ', alias.References)));
        }
        else
        {
            Assert.Equal(AnalysisErrorKind.SyntaxError, alias.Error.Kind); // A Python before 3.12.
        }
    }

    [Theory]
    [InlineData("_x = 1\ny = _x\nfor _i_ in r: pass\nimport os as _os\n%time _z = 2", "_i_ _os _x _z")]
    [InlineData("_x = 1\ndef f(): return _x\n_y = 2\ng = (_y for _ in r)", "")]
    [InlineData("def _f(): pass\nclass _C: pass\n_P = namedtuple('_P', 'a')", "")]
    [InlineData("_T = 1\ndef f(a: _T) -> None: pass\n_U = 2\nx: list[_U] = 3\n_q = 4\nt = df.query('a > @_q')", "")]
    [InlineData("_n = _n + 1\ndef f():\n  global _m\n  _m = 1", "")]
    [InlineData("_x = 1\nexec(s)", "")]
    [InlineData("_x = 1\nlocals()", "")]
    [InlineData("_x = 1\n%run a.py", "")]
    [InlineData("_ = 1\n__ = 2\n_1 = _i = _i1 = _ih = _oh = _dh = _exit_code = __doc__ = 3", "")]
    public async Task A_private_name_passes_with_its_cell_unless_anything_could_want_it(string source, string passing) =>
        Assert.Equal(passing, string.Join(' ', (await python.Analyser.AnalyseAsync(source, Cancel)).PassingPrivates));

    [Fact]
    public async Task What_a_kernel_can_compile_is_read_however_deep_it_is()
    {
        string[] sources =
        [
            $"z = {string.Join(" + ", Enumerable.Repeat("q", 900))}",
            $"z = q{string.Concat(Enumerable.Repeat(".f()", 500))}",
            $"if q: z = 1\n{string.Concat(Enumerable.Repeat("elif q: z = 2\n", 800))}",
        ];
        foreach (string source in sources)
        {
            CellAnalysis analysis = await python.Analyser.AnalyseAsync(source, Cancel);
            Assert.Equal(("z", "q", null), (string.Join(' ', analysis.Definitions), string.Join(' ', analysis.References), analysis.Error));
        }

        string endless = $"z = {new string('-', 100_000)}1";
        Assert.Equal(AnalysisErrorKind.NotAnalysed, (await python.Analyser.AnalyseAsync(endless, Cancel)).Error?.Kind);
    }

    [Fact]
    public async Task Private_names_say_which_of_them_a_function_keeps()
    {
        CellAnalysis analysis = await python.Analyser.AnalyseAsync("_a = 1\n_b = 2\nfor _c in [_a]: pass\ndef f(): return _b", Cancel);
        Assert.Equal(("_a _b _c", "_b"), (string.Join(' ', analysis.WrittenPrivates), string.Join(' ', analysis.KeptPrivates)));
    }

    [Fact]
    public async Task Generated_programs_are_read_as_they_run()
    {
        int compared = 0;
        foreach (string line in await TraceAsync())
        {
            using JsonDocument run = JsonDocument.Parse(line);
            string source = run.RootElement.GetProperty("source").GetString()!;
            Assert.False(run.RootElement.TryGetProperty("failure", out JsonElement failure), $"{failure} in\n{source}");
            CellAnalysis analysis = await python.Analyser.AnalyseAsync(source, Cancel);
            string read = Names(run.RootElement.GetProperty("reads"), analysis.Definitions);
            string left = Names(run.RootElement.GetProperty("left"), []);
            string references = string.Join(' ', analysis.References.Except(analysis.Definitions).Where(n => n[0] == 'v'));
            Assert.True(
                (read, left) == (references, string.Join(' ', analysis.Definitions)),
                $"{source}\nread {read}, and references are {references}; left {left}, and definitions are {string.Join(' ', analysis.Definitions)}"
            );
            compared++;
        }

        Assert.True(compared > Programs * 3 / 4, $"only {compared} programs ran");
    }

    [Fact]
    public async Task A_process_that_hangs_or_ends_costs_the_cell_it_was_at_and_no_other()
    {
        string folder = TemporaryStore.NewDirectory();
        try
        {
            // Ends at its first start, hangs at its second, works from then on.
            string script = Path.Combine(folder, "python");
            await File.WriteAllTextAsync(
                script,
                $"#!/bin/sh\necho >> {folder}/starts\ncase $(wc -l < {folder}/starts) in\n1) exit 1;;\n2) while :; do :; done;;\nesac\nexec python3 \"$@\"\n",
                Cancel
            );
            File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            using var analyser = new PythonAnalyser(script, static () => { }, TimeProvider.System, TimeSpan.FromSeconds(2));
            CellAnalysis[] answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => analyser.AnalyseAsync($"x{i} = 1", Cancel)));
            Assert.Equal(
                [AnalysisErrorKind.NotAnalysed, AnalysisErrorKind.NotAnalysed],
                answers.Where(a => a.Error is not null).Select(a => a.Error!.Kind)
            );
            Assert.Contains("x39", answers[39].Definitions);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task Without_an_interpreter_a_cell_is_told_so()
    {
        using var analyser = new PythonAnalyser("/nowhere/python", static () => { }, TimeProvider.System);
        Assert.Equal(AnalysisErrorKind.NotAnalysed, (await analyser.AnalyseAsync("x = 1", Cancel)).Error!.Kind);
    }

    [Fact]
    public async Task Large_cells_and_odd_texts_pass_the_pipe()
    {
        string large = string.Join('\n', Enumerable.Range(0, 20_000).Select(i => $"name_{i} = 'é\u2028\"{i}'"));
        CellAnalysis[] answers = await Task.WhenAll(Enumerable.Repeat(large, 3).Select(s => python.Analyser.AnalyseAsync(s, Cancel)));
        Assert.All(answers, a => Assert.Equal(20_000, a.Definitions.Count));
    }

    private static string Names(JsonElement names, IReadOnlyList<string> without) =>
        string.Join(' ', names.EnumerateArray().Select(n => n.GetString()!).Where(n => n[0] != '_' && !without.Contains(n)));

    private static async Task<string[]> TraceAsync()
    {
        string script = Path.Combine(Repository.Root, "tests/Holdfast.Tests/Reactive/tracing.py");
        using var process = Process.Start(
            new ProcessStartInfo("python3", ["-I", script, "0", $"{Programs}"]) { RedirectStandardOutput = true }
        )!;
        string output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
