using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace Holdfast.SystemTests.Serving;

/// <summary>
/// A job of which everything is known beforehand: its bytes on each stream, its exit code, and that it tells the truth file when it starts
/// and ends.
/// </summary>
internal sealed record HouseJob(string Key, string Script, string Stdout, string Stderr, int ExitCode)
{
    public string[] Locks { get; init; } = [];

    /// <summary>Who is told of its end.</summary>
    public string? Callback { get; init; }

    public string Request
    {
        get
        {
            JsonObject job = RestClient.Shell(Script);
            if (Locks.Length > 0)
            {
                job["locks"] = new JsonArray([.. Locks.Select(static l => (JsonNode)l)]);
            }

            if (Callback is not null)
            {
                job["callback"] = new JsonObject
                {
                    ["url"] = Callback,
                    ["secret"] = CallbackSecret,
                    ["schedule"] = new JsonArray(0.1, 0.1, 0.1, 1, 5),
                };
            }

            return job.ToJsonString();
        }
    }

    public const string CallbackSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    public string ExpectedState => ExitCode == 0 ? "succeeded" : "failed";

    /// <summary>A line or two and done.</summary>
    public static HouseJob Short(TruthFile truth, string key) => Make(truth, key, $"echo '{key} says hello'", $"{key} says hello\n", "", 0);

    /// <summary>Goes on when it may, which the script waits for.</summary>
    public static HouseJob Held(TruthFile truth, string key, string wait) =>
        Make(truth, key, $"echo '{key} waits'; {wait}; echo '{key} goes on'", $"{key} waits\n{key} goes on\n", "", 0);

    public static HouseJob Failing(TruthFile truth, string key, int exitCode = 3) =>
        Make(truth, key, $"echo '{key} out'; echo '{key} err' >&2", $"{key} out\n", $"{key} err\n", exitCode);

    /// <summary>Numbered lines on both streams, in bursts with pauses between them.</summary>
    public static HouseJob Printing(TruthFile truth, string key, int bursts, int linesPerBurst, double pauseSeconds)
    {
        string script = string.Create(
            CultureInfo.InvariantCulture,
            $"b=0; while [ $b -lt {bursts} ]; do i=0; while [ $i -lt {linesPerBurst} ]; do echo \"{key} out $b $i\"; echo \"{key} err $b $i\" >&2; i=$((i+1)); done; sleep {pauseSeconds}; b=$((b+1)); done"
        );
        return Make(truth, key, script, Lines(key, "out", bursts, linesPerBurst), Lines(key, "err", bursts, linesPerBurst), 0);
    }

    /// <summary>Its lines come from children, one of which would live for long if nobody ended it.</summary>
    public static HouseJob WithChildren(TruthFile truth, string key, double seconds) =>
        Make(
            truth,
            key,
            string.Create(
                CultureInfo.InvariantCulture,
                $"sleep 1000 & long=$!; (echo '{key} child'; sleep {seconds}; sh -c \"echo '{key} grandchild'\"); kill $long; wait $long 2>/dev/null"
            ),
            $"{key} child\n{key} grandchild\n",
            "",
            0
        );

    private static HouseJob Make(TruthFile truth, string key, string body, string stdout, string stderr, int exitCode) =>
        new(
            key,
            $"{truth.Tell("start")}; {body}; {truth.Tell("end")}; exit {exitCode.ToString(CultureInfo.InvariantCulture)}",
            stdout,
            stderr,
            exitCode
        );

    private static string Lines(string key, string stream, int bursts, int linesPerBurst)
    {
        var text = new StringBuilder();
        for (int burst = 0; burst < bursts; burst++)
        {
            for (int line = 0; line < linesPerBurst; line++)
            {
                text.Append(CultureInfo.InvariantCulture, $"{key} {stream} {burst} {line}\n");
            }
        }

        return text.ToString();
    }
}

/// <summary>A job whose id was returned: from then on the server owes it everything it promises.</summary>
internal sealed record AcknowledgedJob(HouseJob Job, string Id);
