using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast assets</c>: large outputs and uploads, by the hash of their bytes.</summary>
internal static class AssetsVerb
{
    private static readonly Option Output = new(
        "--output",
        "FILE",
        "of get: write there, whole or not at all, instead of to standard output"
    )
    {
        Short = "-o",
    };
    private static readonly Option Type = new("--type", "TYPE", "of put: the content type, such as image/png");
    private static readonly Option Lease = new("--lease", "TIME", "of put and renew: keep it for so long from now on (default 24h)");
    private static readonly Option Pin = new(
        "--pin",
        "NAME",
        "of put, pin and unpin, and of prune: the name under which it is kept until it is unpinned"
    );
    private static readonly Option References = new(
        "--references",
        "FILE",
        "of prune: the hashes that are truly needed, one a line; they become the pins of --pin, no more and no less"
    );
    private static readonly Option DryRun = new("--dry-run", "", "of prune: only say what would go, and why the rest stays");

    public static Verb Verb =>
        new(
            "assets",
            "assets [ls | get SHA256 | put FILE | renew SHA256... | pin SHA256... | unpin SHA256... | prune]",
            "list large outputs and uploads, fetch, keep and clear them"
        )
        {
            Options = [Output, Type, Lease, Pin, References, DryRun],
            Operands = (0, null),
            Notes = """
                An output that is too large for its notebook is kept as an asset, named by the SHA-256 of its bytes. It stays while its execution, a notebook
                or a pin refers to it, and a day longer after every use. prune deletes at once what nothing needs, which happens by itself after an hour.
                """,
            RunAsync = RunAsync,
        };

    private static async Task<int> RunAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        using var client = new HoldfastClient(context, arguments);
        switch (arguments.Operands)
        {
            case [] or ["ls"]:
                return await ListAsync(context, arguments, client, interruption).ConfigureAwait(false);
            case ["get", var hash]:
                return await AssetTransfer.GetAsync(context, client, hash, arguments.Text(Output.Name), interruption).ConfigureAwait(false);
            case ["put", var file]:
                JsonElement stored = await AssetTransfer
                    .PutAsync(
                        context,
                        client,
                        file,
                        arguments.Text(Type.Name),
                        arguments.Duration(Lease.Name),
                        arguments.Text(Pin.Name),
                        interruption
                    )
                    .ConfigureAwait(false);
                context.Terminal.WriteLine(arguments.IsJson ? stored.Line() : stored.Text("sha256")!);
                return ExitCodes.Success;
            case ["renew", _, ..]:
                return await EachAsync(
                        context,
                        arguments,
                        client,
                        hash =>
                            ApiRequest.Post($"v1/assets/{hash}/lease", json => WriteLease(json, arguments.Duration(Lease.Name))) with
                            {
                                IsRepeatable = true,
                            },
                        interruption
                    )
                    .ConfigureAwait(false);
            case ["pin" or "unpin", _, ..]:
                string name = arguments.Text(Pin.Name) ?? throw new UsageException("assets pin and unpin take --pin NAME.");
                HttpMethod method = arguments.Operands[0] == "pin" ? HttpMethod.Put : HttpMethod.Delete;
                return await EachAsync(
                        context,
                        arguments,
                        client,
                        hash => new ApiRequest(method, $"v1/assets/{hash}/pins/{Uri.EscapeDataString(name)}") { IsRepeatable = true },
                        interruption
                    )
                    .ConfigureAwait(false);
            case ["prune"]:
                return await PruneAsync(context, arguments, client, interruption).ConfigureAwait(false);
            default:
                throw new UsageException(
                    "assets takes ls, get SHA256, put FILE, renew SHA256..., pin SHA256..., unpin SHA256... or prune."
                );
        }
    }

    private static void WriteLease(Utf8JsonWriter json, TimeSpan? lease)
    {
        json.WriteStartObject();
        if (lease is { } given)
        {
            json.WriteNumber("seconds", given.TotalSeconds);
        }

        json.WriteEndObject();
    }

    private static async Task<int> EachAsync(
        CliContext context,
        Arguments arguments,
        HoldfastClient client,
        Func<string, ApiRequest> request,
        CancellationToken interruption
    )
    {
        foreach (string hash in arguments.Operands.Skip(1))
        {
            JsonElement asset = await client.SendAsync(request(Uri.EscapeDataString(hash)), interruption).ConfigureAwait(false);
            context.Terminal.WriteLine(
                arguments.IsJson ? asset.Line() : $"{asset.Text("sha256")} {asset.Text("state")} until {asset.Text("leaseUntil")}"
            );
        }

        return ExitCodes.Success;
    }

    private static async Task<int> ListAsync(CliContext context, Arguments arguments, HoldfastClient client, CancellationToken interruption)
    {
        var table = new TextTable("ASSET", "SIZE", "TYPE", "STATE", "LEASE UNTIL", "OF");
        JsonElement page;
        string? cursor = null;
        do
        {
            page = await client
                .GetAsync($"v1/assets?limit=1000{(cursor is null ? "" : "&cursor=" + cursor)}", interruption)
                .ConfigureAwait(false);
            foreach (JsonElement asset in page.Items("assets"))
            {
                if (arguments.IsJson)
                {
                    context.Terminal.WriteLine(asset.Line());
                    continue;
                }

                table.Add(
                    asset.Text("sha256"),
                    Sizes.Format(asset.Integer("size") ?? 0),
                    asset.Text("mediaType"),
                    asset.Text("state"),
                    asset.Text("leaseUntil"),
                    string.Join(' ', asset.Items("references").Select(static r => $"{r.Text("kind")}:{r.Text("subject")}"))
                );
            }

            cursor = page.Text("next");
        } while (cursor is not null);

        if (!arguments.IsJson)
        {
            context.Terminal.Write(Encoding.UTF8.GetBytes(table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null)));
            context.Terminal.WriteErrorLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Sentences.Count(page.Integer("count") ?? 0, "asset", "assets")}, {Sizes.Format(page.Integer("bytes") ?? 0)}"
                )
            );
        }

        return ExitCodes.Success;
    }

    private static async Task<int> PruneAsync(
        CliContext context,
        Arguments arguments,
        HoldfastClient client,
        CancellationToken interruption
    )
    {
        string[]? references = arguments.Text(References.Name) is not { } file
            ? null
            :
            [
                .. (await File.ReadAllLinesAsync(Path.GetFullPath(file, context.CurrentDirectory), interruption).ConfigureAwait(false))
                    .Select(static l => l.Trim())
                    .Where(static l => l.Length > 0),
            ];
        JsonElement result = await client
            .SendAsync(
                ApiRequest.Post(
                    "v1/assets/prune",
                    json =>
                    {
                        json.WriteStartObject();
                        json.WriteBoolean("dryRun", arguments.Has(DryRun.Name));
                        if (arguments.Text(Pin.Name) is { } name)
                        {
                            json.WriteString("client", name);
                        }

                        if (references is not null)
                        {
                            json.WriteStartArray("references");
                            Array.ForEach(references, json.WriteStringValue);
                            json.WriteEndArray();
                        }

                        json.WriteEndObject();
                    }
                ) with
                {
                    IsRepeatable = true,
                    ServerTime = TimeSpan.FromMinutes(10),
                },
                interruption
            )
            .ConfigureAwait(false);
        if (arguments.IsJson)
        {
            context.Terminal.WriteLine(result.Line());
            return ExitCodes.Success;
        }

        string done = arguments.Has(DryRun.Name) ? "would go" : "deleted";
        WriteAssets(context, result.Field("deleted"), _ => done);
        WriteAssets(
            context,
            result.Field("kept"),
            static asset => "kept: " + string.Join(' ', asset.Items("reasons").Select(static r => r.GetString()))
        );
        foreach (JsonElement missing in result.Items("missing"))
        {
            context.Terminal.WriteLine($"{missing.GetString()} is not here");
        }

        context.Terminal.WriteErrorLine($"{Total(result.Field("deleted"))} {done}; {Total(result.Field("kept"))} kept");
        return ExitCodes.Success;
    }

    private static string Total(JsonElement? list) =>
        $"{Sentences.Count(list?.Integer("count") ?? 0, "asset", "assets")} ({Sizes.Format(list?.Integer("bytes") ?? 0)})";

    private static void WriteAssets(CliContext context, JsonElement? list, Func<JsonElement, string> say)
    {
        foreach (JsonElement asset in list?.Items("assets") ?? [])
        {
            context.Terminal.WriteLine(
                TerminalText.Printable($"{asset.Text("sha256")} {Sizes.Format(asset.Integer("size") ?? 0)} {say(asset)}")
            );
        }
    }
}
