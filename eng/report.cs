#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property RuntimeIdentifiers=

// What grows, so that it is seen: nothing fails on it. Methods are found by their braces, which `./dev format` keeps in place: a member
// begins at some indentation, and ends at the first closing brace at the same one.

using System.Text.RegularExpressions;

string[] folders = ["src", "tests", "bench"];
var files = folders
    .Where(Directory.Exists)
    .SelectMany(folder => Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories))
    .Select(path => (Path: path, Lines: File.ReadAllLines(path)))
    .ToList();
var methods = files.SelectMany(file => Methods(file.Path, file.Lines)).ToList();

Console.WriteLine("Longest files");
foreach (var (path, lines) in files.OrderByDescending(f => f.Lines.Length).Take(10))
{
    bool isUnexplained =
        lines.Length > 400 && !lines.Take(20).Any(l => l.StartsWith("// One indivisible thing:", StringComparison.Ordinal));
    Console.WriteLine(
        $"  {lines.Length, 5}  {path}{(isUnexplained ? "   over 400 lines, and does not say why: `// One indivisible thing: ...`" : "")}"
    );
}

Console.WriteLine("Longest methods");
foreach (var (where, name, length) in methods.OrderByDescending(m => m.Length).Take(10))
{
    Console.WriteLine($"  {length, 5}  {name}   {where}");
}

Console.WriteLine("Counts");
foreach (var group in files.GroupBy(f => string.Join('/', f.Path.Split('/').Take(2))).OrderBy(g => g.Key, StringComparer.Ordinal))
{
    var lengths = group.Select(f => f.Lines.Length).Order().ToList();
    Console.WriteLine(
        $"  {group.Key, -28} {lengths.Count, 4} files {lengths.Sum(), 6} lines, median {lengths[lengths.Count / 2], 4}, longest {lengths[^1], 4}"
    );
}

var sizes = methods.Select(m => m.Length).Order().ToList();
if (sizes.Count > 0)
{
    Console.WriteLine(
        $"  {sizes.Count} methods with a body: median {sizes[sizes.Count / 2]}, 95th percentile {sizes[sizes.Count * 95 / 100]}, longest {sizes[^1]} lines"
    );
}

int tests = files
    .Where(f => f.Path.StartsWith("tests", StringComparison.Ordinal))
    .Sum(f => f.Lines.Count(l => Regex.IsMatch(l, @"^\s*\[(Fact|Theory|Property)\b")));
Console.WriteLine($"  {tests} test methods");

static IEnumerable<(string Where, string Name, int Length)> Methods(string path, string[] lines)
{
    for (int open = 1; open < lines.Length; open++)
    {
        Match brace = Regex.Match(lines[open], @"^( +)\{$");
        if (!brace.Success)
        {
            continue;
        }

        // The declaration stands above the brace, at its indentation; a long one has further lines that are indented deeper.
        string indent = brace.Groups[1].Value;
        int start = open - 1;
        while (start > 0 && lines[start].StartsWith(indent + " ", StringComparison.Ordinal))
        {
            start--;
        }

        Match name = Regex.Match(
            lines[start],
            @"^ +(public|private|protected|internal|static|async|unsafe)\b[^=;]*?\b(?<name>\w+)(<[\w, ]+>)?\("
        );
        int end = Array.IndexOf(lines, indent + "}", open);
        if (name.Success && end > 0 && !Regex.IsMatch(lines[start], @"\b(class|struct|record|interface)\b"))
        {
            yield return ($"{path}:{start + 1}", name.Groups["name"].Value, end - start + 1);
        }
    }
}
