using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Reactive.Python;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Reactive;

/// <summary>The analysers by interpreter, and what they have said of each source: the same text is not looked at twice.</summary>
public sealed class CellAnalysers(Action childSpawned, TimeProvider time) : IDisposable
{
    /// <summary>Where a kernel's own command is no Python.</summary>
    public const string DefaultInterpreter = "python3";

    private readonly ConcurrentDictionary<string, Lazy<Cached>> _pythons = new();

    /// <summary>
    /// For notebooks of this kernelspec: by the language that the one installed here speaks; where none of that name is, or the notebook
    /// names none, by what the notebook says of itself.
    /// </summary>
    public ICellAnalyser ForKernel(string? kernelName, string? notebookLanguage)
    {
        string? installed = kernelName is null ? null : SpecOf(kernelName)?.Language;
        string? language = string.IsNullOrEmpty(installed) ? notebookLanguage : installed;
        return string.IsNullOrEmpty(language) || language.Contains("python", StringComparison.OrdinalIgnoreCase)
            ? For(InterpreterOf(kernelName))
            : new UnknownLanguage(language);
    }

    /// <summary>The same interpreter, for what a conversion asks of it besides: nothing of that is kept.</summary>
    public PythonAnalyser PythonForKernel(string? kernelName) => CachedFor(InterpreterOf(kernelName)).Python;

    public ICellAnalyser For(string interpreter) => CachedFor(interpreter);

    private Cached CachedFor(string interpreter) =>
        _pythons.GetOrAdd(interpreter, name => new Lazy<Cached>(() => new Cached(new PythonAnalyser(name, childSpawned, time)))).Value;

    private static KernelSpec? SpecOf(string? kernelName) => KernelSpecSearch.Search().Find(kernelName ?? "python3");

    private static string InterpreterOf(string? kernelName)
    {
        string? command = SpecOf(kernelName)?.ResolveArgv()[0];
        return command is not null && Path.GetFileName(command).StartsWith("python", StringComparison.Ordinal)
            ? command
            : DefaultInterpreter;
    }

    public void Dispose()
    {
        foreach (Lazy<Cached> python in _pythons.Values.Where(static p => p.IsValueCreated))
        {
            python.Value.Python.Dispose();
        }
    }

    private sealed class Cached(PythonAnalyser python) : ICellAnalyser
    {
        /// <summary>Some notebooks' worth; when there are more, the cache begins anew.</summary>
        private const int KeptMax = 50_000;

        private readonly ConcurrentDictionary<string, CellAnalysis> _known = new();

        public PythonAnalyser Python => python;

        public async Task<CellAnalysis> AnalyseAsync(string source, CancellationToken cancellationToken)
        {
            if (SqlAnalyser.IsSql(source))
            {
                return SqlAnalyser.Analyse(source);
            }

            string hash = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(source)));
            if (_known.TryGetValue(hash, out CellAnalysis? known))
            {
                return known;
            }

            CellAnalysis analysis = await python.AnalyseAsync(source, cancellationToken);
            if (analysis.Error?.Kind != AnalysisErrorKind.NotAnalysed)
            {
                if (_known.Count >= KeptMax)
                {
                    _known.Clear();
                }

                _known[hash] = analysis;
            }

            return analysis;
        }
    }
}
