using System.Security.Cryptography;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast submit</c>: a job, and its id as soon as it is durable.</summary>
internal static class SubmitVerb
{
    private const int InlineStandardInputMax = 256 * 1024;

    private static readonly Option Name = new("--name", "NAME", "a name for people");
    private static readonly Option WorkingDirectory = new("--cwd", "DIR", "where the command runs (default: the current folder)");
    private static readonly Option Variable = new("--env", "NAME[=VALUE]", "a variable for the command; without a value, ours")
    {
        IsRepeatable = true,
        Short = "-e",
    };
    private static readonly Option Timeout = new("--timeout", "TIME", "stop it after so long: 90, 10m, 1h30m");
    private static readonly Option StandardInput = new("--stdin", "FILE", "give it this file as standard input; - is ours");
    private static readonly Option OpenStandardInput = new(
        "--open-stdin",
        "",
        "keep its standard input open for `holdfast stdin` and `attach`"
    );
    private static readonly Option Pty = new(
        "--pty",
        "",
        "run it on a terminal of its own, of this one's size, for `holdfast attach` to use"
    );
    private static readonly Option Label = new("--label", "KEY=VALUE", "a label to find it by") { IsRepeatable = true };
    private static readonly Option Lock = new("--lock", "NAME", "hold this lock from its start to its end; with several, all or none")
    {
        IsRepeatable = true,
    };
    private static readonly Option Key = new("--key", "KEY", "idempotency key: the same key and command again give the same job");
    private static readonly Option Wait = new("--wait", "", "wait for its end, and end with its exit status");

    public static Verb Verb =>
        new("submit", "submit [options] -- COMMAND [ARGUMENT]...", "run a command as a job; prints its id when it is durable")
        {
            Options =
            [
                Name,
                WorkingDirectory,
                Variable,
                Timeout,
                StandardInput,
                OpenStandardInput,
                Pty,
                Label,
                Lock,
                .. CallbackSubmitOptions.All,
                Key,
                Wait,
            ],
            Operands = (1, null),
            TakesCommand = true,
            Notes = """
                The command is run as it is, without a shell: for pipes and variables say  holdfast submit -- sh -c '...'
                With --wait the exit code is the command's: see `holdfast wait --help`.
                """,
            RunAsync = SubmitAsync,
        };

    private static async Task<int> SubmitAsync(CliContext context, Arguments arguments)
    {
        CancellationToken interruption = context.Interruption();
        byte[]? input = await ReadStandardInputAsync(context, arguments, interruption).ConfigureAwait(false);
        bool isInline =
            input is not null && input.Length <= InlineStandardInputMax && IsText(input) && !arguments.Has(OpenStandardInput.Name);
        using HoldfastClient client = await Contact.OpenOrStartAsync(context, arguments, interruption).ConfigureAwait(false);

        // Every submission carries a key, so that one whose answer was lost with the connection is sent again without running twice.
        string key = arguments.Text(Key.Name) ?? Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
        byte[] body = Body(
            context,
            arguments,
            client.IsLocal,
            isInline ? input : null,
            isOpen: arguments.Has(OpenStandardInput.Name) || (input is not null && !isInline)
        );
        client.BePatient();
        JsonElement job = await client
            .SendAsync(
                new ApiRequest(HttpMethod.Post, "v1/jobs")
                {
                    Body = body,
                    IdempotencyKey = key,
                    IsRepeatable = true,
                },
                interruption
            )
            .ConfigureAwait(false);
        string id = job.Text("id") ?? throw new RefusedException(ErrorCodes.InternalError, "The server answered without an id.");
        context.ComeBack = $"holdfast wait {id}";
        if (!arguments.Has(Wait.Name))
        {
            context.Terminal.WriteLine(arguments.IsJson ? job.Line() : id);
        }
        else if (!arguments.IsJson)
        {
            context.Terminal.WriteLine(id);
        }

        if (input is not null && !isInline)
        {
            await new StandardInputSender(client, id)
                .SendAllAsync(input, isEnd: !arguments.Has(OpenStandardInput.Name), interruption)
                .ConfigureAwait(false);
        }

        if (!arguments.Has(Wait.Name))
        {
            return ExitCodes.Success;
        }

        Work ended = await new Work(id, IsRun: false, job).WaitAsync(client, interruption).ConfigureAwait(false);
        WaitVerb.Report(context, arguments, ended, isNamed: false);
        return ended.ExitCode;
    }

    private static byte[] Body(CliContext context, Arguments arguments, bool isLocal, byte[]? input, bool isOpen) =>
        JsonFields.Write(json =>
        {
            json.WriteStartObject();
            json.WriteStartArray("argv");
            foreach (string word in arguments.Operands)
            {
                json.WriteStringValue(word);
            }

            json.WriteEndArray();

            // Our own folder means nothing on another machine.
            if (arguments.Text(WorkingDirectory.Name) is { } directory)
            {
                json.WriteString("cwd", isLocal ? Path.GetFullPath(directory, context.CurrentDirectory) : directory);
            }
            else if (isLocal)
            {
                json.WriteString("cwd", context.CurrentDirectory);
            }

            WriteOptional(json, "name", arguments.Text(Name.Name));
            WriteVariables(json, context, arguments);
            WriteLabels(json, arguments);
            WriteLocks(json, arguments);
            CallbackSubmitOptions.Write(json, context, arguments);
            if (arguments.Duration(Timeout.Name) is { } timeout)
            {
                json.WriteNumber("timeoutSeconds", timeout.TotalSeconds);
            }

            if (input is not null)
            {
                json.WriteString("stdin", input);
            }

            if (isOpen)
            {
                json.WriteBoolean("openStdin", true);
            }

            if (arguments.Has(Pty.Name))
            {
                json.WriteBoolean("pty", true);
                if (context.Terminal.Size is { Rows: > 0 } size)
                {
                    json.WriteNumber("rows", size.Rows);
                    json.WriteNumber("columns", size.Columns);
                }
            }

            json.WriteEndObject();
        });

    private static void WriteVariables(Utf8JsonWriter json, CliContext context, Arguments arguments)
    {
        if (arguments.All(Variable.Name) is not { Count: > 0 } given)
        {
            return;
        }

        json.WriteStartObject("env");
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (string[] words in given.Reverse())
        {
            (string name, string? value) = Arguments.Pair(Variable.Name, words[0]);
            if (names.Add(name)) // The last one counts, as in a shell.
            {
                json.WriteString(
                    name,
                    value
                        ?? context.Environment(name)
                        ?? throw new UsageException($"{Variable.Name} {name}: there is no such variable here; give it as {name}=VALUE.")
                );
            }
        }

        json.WriteEndObject();
    }

    private static void WriteLabels(Utf8JsonWriter json, Arguments arguments)
    {
        if (arguments.All(Label.Name) is not { Count: > 0 } given)
        {
            return;
        }

        json.WriteStartObject("labels");
        foreach (string[] words in given)
        {
            (string name, string? value) = Arguments.Pair(Label.Name, words[0]);
            json.WriteString(name, value ?? "");
        }

        json.WriteEndObject();
    }

    private static void WriteLocks(Utf8JsonWriter json, Arguments arguments)
    {
        if (arguments.All(Lock.Name) is not { Count: > 0 } given)
        {
            return;
        }

        json.WriteStartArray("locks");
        foreach (string[] words in given)
        {
            json.WriteStringValue(words[0]);
        }

        json.WriteEndArray();
    }

    private static void WriteOptional(Utf8JsonWriter json, string name, string? value)
    {
        if (value is not null)
        {
            json.WriteString(name, value);
        }
    }

    private static async Task<byte[]?> ReadStandardInputAsync(CliContext context, Arguments arguments, CancellationToken cancellationToken)
    {
        string? source = arguments.Text(StandardInput.Name);
        if (source is null)
        {
            return null;
        }

        if (source != "-")
        {
            try
            {
                return await File.ReadAllBytesAsync(Path.GetFullPath(source, context.CurrentDirectory), cancellationToken)
                    .ConfigureAwait(false);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new UsageException($"{StandardInput.Name}: {error.Message}");
            }
        }

        using var all = new MemoryStream();
        byte[] buffer = new byte[64 * 1024];
        for (int count; (count = await context.Terminal.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0; )
        {
            await all.WriteAsync(buffer.AsMemory(0, count), cancellationToken).ConfigureAwait(false);
        }

        return all.ToArray();
    }

    private static bool IsText(byte[] bytes) => System.Text.Unicode.Utf8.IsValid(bytes);
}
