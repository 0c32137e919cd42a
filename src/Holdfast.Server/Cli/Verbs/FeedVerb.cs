using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>
/// <c>holdfast feed</c>: every change of state as it comes, through the server's death and return, without a gap that is not named.
/// </summary>
internal static class FeedVerb
{
    /// <summary>The server says something at least every fifteen seconds, if only that it is there.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(45);

    private static readonly Option After = new(
        "--after",
        "N",
        "begin behind this position; 0 is the oldest that is kept (default: what comes from now on)"
    );
    private static readonly Option Subject = new("--subject", "ID", "only what concerns this execution, run, kernel or notebook");

    public static Verb Verb =>
        new("feed", "feed [--after N] [--subject ID]", "follow every change of state, until Ctrl-C")
        {
            Options = [After, Subject],
            Notes =
                "Each line is a position, what happened, and its details. With --json, a line each: {\"position\",\"event\",\"data\"}. After Ctrl-C it says from where to go on.",
            RunAsync = FollowAsync,
        };

    private static async Task<int> FollowAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        string filter = arguments.Text(Subject.Name) is { } subject ? "&subject=" + Uri.EscapeDataString(subject) : "";
        string position = arguments.Integer(After.Name, 0, long.MaxValue)?.ToString(CultureInfo.InvariantCulture) ?? "latest";
        using var client = new HoldfastClient(context, arguments);
        client.BePatient();
        while (true)
        {
            try
            {
                using HttpResponseMessage response = await client
                    .OpenAsync(ApiRequest.Get($"v1/feed?after={position}{filter}"), interruption)
                    .ConfigureAwait(false);
                using var events = new ServerEventReader(
                    await response.Content.ReadAsStreamAsync(interruption).ConfigureAwait(false),
                    context.Time,
                    SilenceMax
                );
                while (await events.ReadAsync(interruption).ConfigureAwait(false) is { } next)
                {
                    Show(context, arguments.IsJson, next);
                    position = next.Id ?? position;
                    context.ComeBack = $"holdfast feed --after {position}";
                    client.Progressed();
                }

                throw new IOException("it closed the connection");
            }
            catch (Exception failure) when (HoldfastClient.IsBreak(failure))
            {
                await client.EndureAsync(failure, interruption).ConfigureAwait(false);
            }
        }
    }

    private static void Show(CliContext context, bool isJson, ServerEvent next)
    {
        if (!isJson)
        {
            context.Terminal.WriteLine($"{next.Id}  {next.Name}  {TerminalText.Printable(next.DataText)}");
            return;
        }

        byte[] data = next.Data.ToArray();
        context.Terminal.WriteLine(
            Encoding.UTF8.GetString(
                JsonFields.Write(json =>
                {
                    json.WriteStartObject();
                    json.WriteNumber(
                        "position",
                        long.TryParse(next.Id, NumberStyles.None, CultureInfo.InvariantCulture, out long position)
                            ? position
                            : throw NotAPosition(next.Id)
                    );
                    json.WriteString("event", next.Name);
                    json.WritePropertyName("data");
                    json.WriteRawValue(data);
                    json.WriteEndObject();
                })
            )
        );
    }

    private static RefusedException NotAPosition(string? id) =>
        new(ErrorCodes.InternalError, $"The server sent an event whose position is '{id}'.");
}
