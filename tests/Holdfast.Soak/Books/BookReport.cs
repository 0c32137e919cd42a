using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Holdfast.Soak.Books;

/// <summary>
/// The books: one table for people, or the same as JSON. They balance when whatever was acknowledged is finished or accounted for, and no
/// promise was broken.
/// </summary>
internal sealed class BookReport(SoakOptions options, Ledger ledger, House house, Samples samples, Leftovers leftovers, TimeSpan played)
{
    /// <summary>Shorter runs are over before what they keep is as much as they ever keep.</summary>
    private static readonly TimeSpan FlatFrom = TimeSpan.FromMinutes(6);

    private const double GrowthMax = 1.25;
    private const long RssSlack = 24 << 20;
    private const long DiskSlack = 16 << 20;
    private const double Mebibyte = 1 << 20;

    public bool IsBalanced => !ledger.HasFaults && ledger.Accounts.All(static a => a.IsBalanced);

    /// <summary>Memory and disk must be as flat as the middle of the run was.</summary>
    public void Judge()
    {
        if (played < FlatFrom)
        {
            return;
        }

        if (options.IsSoak)
        {
            Judge("The server's memory", samples.RssByThird, RssSlack);
            Judge("The server's open files", samples.HandlesByThird, 64);
        }

        Judge("The data directory", samples.DiskByThird, DiskSlack);
    }

    public string ToText()
    {
        var text = new StringBuilder();
        string took = $"{played.TotalMinutes:0.0} min, seed {options.Seed.ToString(CultureInfo.InvariantCulture)}";
        Line(text, $"--- the books of this {options.Name}", took);
        foreach ((string deed, long count) in ledger.Deeds.OrderBy(static d => d.Key, StringComparer.Ordinal))
        {
            Line(text, "done: " + deed, Number(count));
        }

        text.AppendLine(CultureInfo.InvariantCulture, $"{"", -28} {"acknowledged", 12} {"finished", 9} {"cancelled", 9} {"lost", 6}");
        foreach (Account account in ledger.Accounts)
        {
            string causes = string.Join(
                ", ",
                account.Lost.OrderBy(static l => l.Key, StringComparer.Ordinal).Select(static l => $"{l.Value} {l.Key}")
            );
            text.AppendLine(
                CultureInfo.InvariantCulture,
                $"{account.Name, -28} {account.Acknowledged, 12} {account.Finished, 9} {account.Cancelled, 9} {account.Lost.Values.Sum(), 6}  {causes}{(account.IsBalanced ? "" : "  DOES NOT BALANCE")}"
            );
        }

        foreach ((string doing, long count) in ledger.Doings.OrderBy(static d => d.Key, StringComparer.Ordinal))
        {
            Line(text, doing, Number(count));
        }

        Line(text, "bytes of output compared", Number(ledger.BytesCompared));
        Line(text, "wrong bytes", Number(ledger.BytesWrong));
        foreach (Fault fault in Enum.GetValues<Fault>())
        {
            Line(text, "broken: " + fault, Number(ledger.Count(fault)));
        }

        Line(
            text,
            "left over",
            $"{Number(leftovers.Processes)} processes, {Number(leftovers.Files)} files, {Number(leftovers.Sockets)} sockets, {Number(leftovers.Rows)} rows"
        );
        double[] starts = house.StartMilliseconds;
        Line(
            text,
            "start to ready",
            starts.Length == 0
                ? "-"
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"median {starts[starts.Length / 2]:0} ms, longest {starts[^1]:0} ms, of {starts.Length}"
                )
        );
        Line(text, "RSS of the server by third", Thirds(samples.RssByThird, Mebibyte, " MiB"));
        Line(text, "its open files by third", Thirds(samples.HandlesByThird, 1, ""));
        Line(text, "data directory by third", Thirds(samples.DiskByThird, Mebibyte, " MiB"));
        Line(
            text,
            "rows in the end",
            string.Join(", ", leftovers.Tables.Where(static t => t.Value > 0).Select(static t => $"{t.Key} {t.Value}"))
        );
        foreach (string sentence in ledger.Sentences)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"! {sentence}");
        }

        text.Append(IsBalanced ? "The books balance." : "THE BOOKS DO NOT BALANCE.");
        return text.ToString();
    }

    public string ToJson()
    {
        double[] starts = house.StartMilliseconds;
        var json = new JsonObject
        {
            ["mode"] = options.Name,
            ["seed"] = options.Seed,
            ["minutes"] = Math.Round(played.TotalMinutes, 2),
            ["balanced"] = IsBalanced,
            ["deeds"] = Counts(ledger.Deeds),
            ["work"] = new JsonArray([
                .. ledger.Accounts.Select(static a =>
                    (JsonNode)
                        new JsonObject
                        {
                            ["kind"] = a.Name,
                            ["acknowledged"] = a.Acknowledged,
                            ["finished"] = a.Finished,
                            ["cancelled"] = a.Cancelled,
                            ["lost"] = Counts(a.Lost),
                            ["balanced"] = a.IsBalanced,
                        }
                ),
            ]),
            ["did"] = Counts(ledger.Doings),
            ["bytesCompared"] = ledger.BytesCompared,
            ["bytesWrong"] = ledger.BytesWrong,
            ["broken"] = Counts(Enum.GetValues<Fault>().Select(f => KeyValuePair.Create(f.ToString(), ledger.Count(f)))),
            ["leftOver"] = new JsonObject
            {
                ["processes"] = leftovers.Processes,
                ["files"] = leftovers.Files,
                ["sockets"] = leftovers.Sockets,
                ["rows"] = leftovers.Rows,
            },
            ["startMs"] = new JsonObject
            {
                ["count"] = starts.Length,
                ["median"] = starts.Length == 0 ? null : Math.Round(starts[starts.Length / 2]),
                ["longest"] = starts.Length == 0 ? null : Math.Round(starts[^1]),
            },
            ["rssByThird"] = Numbers(samples.RssByThird),
            ["openFilesByThird"] = Numbers(samples.HandlesByThird),
            ["diskByThird"] = Numbers(samples.DiskByThird),
            ["rows"] = Counts(leftovers.Tables),
            ["sentences"] = new JsonArray([.. ledger.Sentences.Select(static s => (JsonNode)s)]),
        };
        return json.ToJsonString();
    }

    private void Judge(string what, long[] thirds, long slack)
    {
        long before = Math.Max(thirds[0], thirds[1]);
        if (before > 0 && thirds[2] > (before * GrowthMax) + slack)
        {
            ledger.Break(Fault.Grown, $"{what} went from {Number(before)} to {Number(thirds[2])} between the thirds of the run.");
        }
    }

    private static void Line(StringBuilder text, string name, string value) =>
        text.AppendLine(CultureInfo.InvariantCulture, $"{name, -40} {value}");

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Thirds(long[] thirds, double unit, string name) =>
        string.Join(" / ", thirds.Select(t => t == 0 ? "-" : string.Create(CultureInfo.InvariantCulture, $"{t / unit:0.#}{name}")));

    private static JsonObject Counts(IEnumerable<KeyValuePair<string, long>> counts) =>
        new(counts.OrderBy(static c => c.Key, StringComparer.Ordinal).Select(static c => KeyValuePair.Create(c.Key, (JsonNode?)c.Value)));

    private static JsonArray Numbers(long[] numbers) => new([.. numbers.Select(static n => (JsonNode)n)]);
}
