namespace Holdfast.Bench.Report;

/// <summary>Collects figures, and prints each as soon as it is there.</summary>
internal sealed class BenchReport
{
    private readonly List<(string Bench, Figure Figure)> _figures = [];
    private string _bench = "";

    public IReadOnlyList<(string Bench, Figure Figure)> Figures => _figures;

    public void Begin(string bench, string what)
    {
        _bench = bench;
        Console.WriteLine();
        Console.WriteLine($"{bench}: {what}");
    }

    public void Add(params IEnumerable<Figure> figures)
    {
        foreach (Figure figure in figures)
        {
            if (figure.Values.Count > 0)
            {
                _figures.Add((_bench, figure));
                Print(figure);
            }
        }
    }

    public static void Note(string text) => Console.WriteLine("  . " + text);

    private static void Print(Figure figure)
    {
        string value = $"{Summary.Of(figure.Values)} {figure.Unit}";
        string beside = figure.AgainstValues.Count == 0 ? "" : $"{figure.Against} {Summary.Of(figure.AgainstValues)}";
        string ratio = figure.AgainstValues.Count == 0 ? "" : $"{Summary.Of(figure.Ratios)}x";
        string verdict = figure.Goal is null
            ? ""
            : $"{figure.Goal.Text(figure.Unit)}  "
                + figure.IsReached switch
                {
                    true => "ok",
                    false => "SHORT",
                    null => "(peer not installed)",
                };
        Console.WriteLine($"  {figure.Name, -46} {value, -32} {beside, -40} {ratio, -22} {verdict}".TrimEnd());
    }
}
