#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
#:property RuntimeIdentifiers=

// The last step of ./dev demo: compares what came back (job.got, long.ipynb) with what the work itself wrote down (job.truth, long.truth),
// and counts the lines that were printed while there was no server, by the times in them.

using System.Globalization;
using System.Text;
using System.Text.Json;

string folder = args[0];
double killed = double.Parse(args[1], CultureInfo.InvariantCulture);
double back = double.Parse(args[2], CultureInfo.InvariantCulture);

bool isWhole = Compare("job", File.ReadAllText(Path.Combine(folder, "job.got")), "job.truth");
isWhole &= Compare("notebook", PrintedBy(Path.Combine(folder, "long.ipynb")), "long.truth");
return isWhole ? 0 : 1;

bool Compare(string name, string got, string truthFile)
{
    string truth = File.ReadAllText(Path.Combine(folder, truthFile));
    string[] expected = truth.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    string[] actual = got.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    int alone = expected.Count(line => TimeOf(line) is { } at && at > killed && at < back);
    bool isSame = got == truth && expected.Length > 0;
    Console.WriteLine(
        $"{name, -9} {expected.Length} lines written, {alone} of them without a server; {actual.Length} lines came back: "
            + (isSame ? "the same bytes in the same order" : "NOT the same")
    );
    if (!isSame)
    {
        int at = expected.Zip(actual).TakeWhile(pair => pair.First == pair.Second).Count();
        Console.WriteLine(
            $"          first difference in line {at + 1}: expected '{expected.ElementAtOrDefault(at)}', got '{actual.ElementAtOrDefault(at)}'"
        );
    }

    if (alone == 0)
    {
        Console.WriteLine("          but none was written without a server, so this run proves nothing");
    }

    return isSame && alone > 0;
}

static double? TimeOf(string line) =>
    double.TryParse(line[(line.LastIndexOf(' ') + 1)..], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double at)
        ? at
        : null;

// Everything that the cells printed, in the notebook's order.
static string PrintedBy(string path)
{
    var printed = new StringBuilder();
    using JsonDocument notebook = JsonDocument.Parse(File.ReadAllBytes(path));
    foreach (JsonElement cell in notebook.RootElement.GetProperty("cells").EnumerateArray())
    {
        if (!cell.TryGetProperty("outputs", out JsonElement outputs))
        {
            continue;
        }

        foreach (JsonElement output in outputs.EnumerateArray().Where(o => o.GetProperty("output_type").GetString() == "stream"))
        {
            JsonElement text = output.GetProperty("text");
            printed.Append(
                text.ValueKind == JsonValueKind.Array ? string.Concat(text.EnumerateArray().Select(t => t.GetString())) : text.GetString()
            );
        }
    }

    return printed.ToString();
}
