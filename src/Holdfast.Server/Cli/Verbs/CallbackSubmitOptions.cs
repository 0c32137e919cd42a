using System.Globalization;
using System.Text.Json;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>The options that ask for a callback: of <c>holdfast submit</c>, and of whatever else has an end to be told.</summary>
internal static class CallbackSubmitOptions
{
    private const string SecretVariable = "HOLDFAST_CALLBACK_SECRET";

    private static readonly Option Url = new("--callback", "URL", "POST the outcome to this address, signed, until it is taken");
    private static readonly Option Command = new(
        "--callback-command",
        "COMMAND",
        "give the outcome to this shell command as its standard input, instead"
    );
    private static readonly Option SecretFile = new(
        "--callback-secret-file",
        "FILE",
        "a file with the secret that signs it (whsec_...); or set HOLDFAST_CALLBACK_SECRET"
    )
    {
        IsRepeatable = true,
    };
    private static readonly Option Secret = new(
        "--callback-secret",
        "SECRET",
        "the secret itself, which everybody on this machine can see in `ps`: better one of the above"
    )
    {
        IsRepeatable = true,
    };
    private static readonly Option Schedule = new(
        "--callback-schedule",
        "NAME|SECONDS",
        "when to try again: days (the default), minutes (30 s, 2 min, 10 min), once, or delays such as 5,60,3600"
    );

    public static IReadOnlyList<Option> All { get; } = [Url, Command, SecretFile, Secret, Schedule];

    /// <summary>Writes the field, when one was asked for.</summary>
    public static void Write(Utf8JsonWriter json, CliContext context, Arguments arguments)
    {
        string? url = arguments.Text(Url.Name);
        string? command = arguments.Text(Command.Name);
        if (url is null && command is null)
        {
            if (arguments.Has(SecretFile.Name) || arguments.Has(Secret.Name) || arguments.Has(Schedule.Name))
            {
                throw new UsageException($"{Schedule.Name} and secrets are of a callback: give {Url.Name} URL, too.");
            }

            return;
        }

        json.WriteStartObject("callback");
        if (url is not null)
        {
            json.WriteString("url", url);
        }

        if (command is not null)
        {
            WriteTexts(json, "argv", ["sh", "-c", command]);
        }

        if (Secrets(context, arguments) is { Count: > 0 } secrets)
        {
            WriteTexts(json, "secrets", secrets);
        }

        if (arguments.Text(Schedule.Name) is { } schedule)
        {
            WriteSchedule(json, schedule);
        }

        json.WriteEndObject();
    }

    /// <summary>Of several each signs: first the files, then what was given on the command line, else the environment's.</summary>
    private static List<string> Secrets(CliContext context, Arguments arguments)
    {
        var secrets = new List<string>();
        foreach (string[] file in arguments.All(SecretFile.Name))
        {
            try
            {
                secrets.AddRange(Words(File.ReadAllText(Path.GetFullPath(file[0], context.CurrentDirectory))));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new UsageException($"{SecretFile.Name}: {error.Message}");
            }
        }

        secrets.AddRange(arguments.All(Secret.Name).Select(static s => s[0]));
        return secrets.Count > 0 ? secrets : [.. Words(context.Environment(SecretVariable) ?? "")];
    }

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static void WriteSchedule(Utf8JsonWriter json, string schedule)
    {
        if (!schedule.Contains(',', StringComparison.Ordinal) && !char.IsDigit(schedule[0]))
        {
            json.WriteString("schedule", schedule); // A name; which there are, the server knows.
            return;
        }

        json.WriteStartArray("schedule");
        foreach (string part in schedule.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            json.WriteNumberValue(
                Screen.Durations.TryParse(part, out TimeSpan delay)
                    ? delay.TotalSeconds
                    : throw new UsageException(
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"{Schedule.Name} takes a name, or times with commas between them such as 5,60,1h, not '{part}'."
                        )
                    )
            );
        }

        json.WriteEndArray();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (string text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
