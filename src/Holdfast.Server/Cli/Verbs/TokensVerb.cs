using System.Text;
using System.Text.Json;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast tokens</c>: who may come in, and with what scopes.</summary>
internal static class TokensVerb
{
    private static readonly Option Scope = new("--scope", "SCOPE", "for create: read, run or manage (default: read and run)")
    {
        IsRepeatable = true,
    };
    private static readonly Option Expires = new(
        "--expires",
        "TIME",
        "for create: how long it lasts, such as 12h or 720h (default: until it is revoked)"
    );
    private static readonly Option Reason = new("--reason", "TEXT", "for revoke: why; it is kept");

    public static Verb Verb =>
        new("tokens", "tokens [ls | create NAME | revoke NAME-OR-ID]", "make, list and revoke tokens for people and programs")
        {
            Options = [Scope, Expires, Reason],
            Operands = (0, 2),
            Notes = """
                create prints the token, this once: the server keeps only its hash. read may look at everything, run may submit, execute, cancel and
                write files, manage may do this here, see the audit trail and release locks. revoke works at once, on open connections too.
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
                JsonElement list = await client.GetAsync("v1/tokens", interruption).ConfigureAwait(false);
                context.Terminal.Write(Encoding.UTF8.GetBytes(arguments.IsJson ? list.Line() + "\n" : Table(context, list)));
                return ExitCodes.Success;
            case ["create", var name]:
                JsonElement created = await client
                    .SendAsync(ApiRequest.Post("v1/tokens", json => WriteBody(json, name, arguments)), interruption)
                    .ConfigureAwait(false);
                context.Terminal.WriteLine(arguments.IsJson ? created.Line() : created.Text("token")!);
                return ExitCodes.Success;
            case ["revoke", var which]:
                string query = arguments.Text(Reason.Name) is { } reason ? "?reason=" + Uri.EscapeDataString(reason) : "";
                var request = new ApiRequest(HttpMethod.Delete, "v1/tokens/" + Uri.EscapeDataString(which) + query) { IsRepeatable = true };
                JsonElement revoked = await client.SendAsync(request, interruption).ConfigureAwait(false);
                context.Terminal.WriteLine(arguments.IsJson ? revoked.Line() : $"{revoked.Text("name")} revoked");
                return ExitCodes.Success;
            default:
                throw new UsageException("tokens takes ls, create NAME, or revoke NAME-OR-ID.");
        }
    }

    private static void WriteBody(Utf8JsonWriter json, string name, Arguments arguments)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartArray("scopes");
        string[] scopes = [.. arguments.All(Scope.Name).SelectMany(static v => v[0].Split(','))];
        foreach (string scope in scopes.Length > 0 ? scopes : ["read", "run"])
        {
            json.WriteStringValue(scope);
        }

        json.WriteEndArray();
        if (arguments.Duration(Expires.Name) is { } life)
        {
            json.WriteNumber("expiresInSeconds", (long)life.TotalSeconds);
        }

        json.WriteEndObject();
    }

    private static string Table(CliContext context, JsonElement list)
    {
        var table = new TextTable("NAME", "SCOPES", "STATE", "CREATED BY", "EXPIRES", "ID");
        foreach (JsonElement token in list.EnumerateArray())
        {
            table.Add(
                token.Text("name"),
                string.Join(',', token.Items("scopes").Select(static s => s.GetString())),
                token.Text("state"),
                token.Text("createdBy"),
                token.Text("expiresAt"),
                token.Text("id")
            );
        }

        return table.Format(context.Terminal.IsOutputTerminal ? context.Terminal.Width : null);
    }
}
