using Holdfast.Server.Cli.Syntax;
using Holdfast.Server.Hosting;
using Holdfast.Server.Hosting.Tls;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast serve</c>: becomes the server.</summary>
internal static class ServeVerb
{
    private const int PortMax = 65535;
    private const int SlotsMax = 10_000;

    private static readonly Option Root = new("--root", "DIR", "the folder notebooks are served from (default: the current one)");
    private static readonly Option AllowHidden = new("--allow-hidden", "", "list and serve files whose names begin with a dot");
    private static readonly Option Host = new("--host", "HOST", "the address to listen at (default 127.0.0.1)");
    private static readonly Option Port = new("--port", "N", "the port to listen at; 0 takes any free one (default 8787)");
    private static readonly Option AllowOrigin = new("--allow-origin", "ORIGIN", "let pages of https://example.org call the server, too")
    {
        IsRepeatable = true,
    };
    private static readonly Option TlsCertificate = new(
        "--tls-cert",
        "FILE",
        "speak https with this certificate (PEM, its chain behind it); needs --tls-key"
    );
    private static readonly Option TlsKey = new(
        "--tls-key",
        "FILE",
        "the certificate's private key (PEM, not encrypted); both are read anew when they change"
    );
    private static readonly Option LogFormat = new(
        "--log-format",
        "text|json|journald",
        "how the log is written to standard error (default text, or HOLDFAST_LOG_FORMAT)"
    );
    private static readonly Option Slots = new("--slots", "N", "how many jobs run at once (default: by the machine's processors)");
    private static readonly Option MaxMessage = new(
        "--max-message",
        "MIB",
        "the largest message a kernel's client may send, in MiB (default and most: 112)"
    );

    public static Verb Verb =>
        new("serve", "serve [options]", "be the server, until Ctrl-C or SIGTERM; the work goes on without it")
        {
            Options =
            [
                Root,
                AllowHidden,
                Host,
                Port,
                AllowOrigin,
                TlsCertificate,
                TlsKey,
                Slots,
                MaxMessage,
                LogFormat,
                .. KernelServeOptions.All,
                .. CallbackServeOptions.All,
                .. RetentionServeOptions.All,
                .. AssetServeOptions.All,
            ],
            Globals = [GlobalOptions.Data, GlobalOptions.Help],
            Notes = """
                server.json appears in the data directory when the server listens, and the token lies beside it. Started again on the same data
                directory, after whatever end, it finds its jobs and kernels and all that they have said meanwhile.
                """,
            RunAsync = ServeAsync,
        };

    private static TlsFiles? Tls(CliContext context, Arguments arguments) =>
        (arguments.Text(TlsCertificate.Name), arguments.Text(TlsKey.Name)) switch
        {
            (null, null) => null,
            ({ } certificate, { } key) => new TlsFiles(
                Path.GetFullPath(certificate, context.CurrentDirectory),
                Path.GetFullPath(key, context.CurrentDirectory)
            ),
            _ => throw new UsageException($"{TlsCertificate.Name} and {TlsKey.Name} belong together."),
        };

    private static Task<int> ServeAsync(CliContext context, Arguments arguments)
    {
        string root = Path.GetFullPath(arguments.Text(Root.Name) ?? ".", context.CurrentDirectory);
        if (!Directory.Exists(root))
        {
            throw new UsageException($"{Root.Name}: there is no folder {root}.");
        }

        var options = new ServeOptions { DataDirectory = arguments.Text(GlobalOptions.Data.Name), Root = root };
        return ServerHost.RunAsync(
            options with
            {
                AllowsHidden = arguments.Has(AllowHidden.Name),
                Host = arguments.Text(Host.Name) ?? options.Host,
                MessageBytesMax =
                    (int)(
                        arguments.Integer(MaxMessage.Name, 1, ServeOptions.MessageBytesLimit >> 20) ?? ServeOptions.MessageBytesLimit >> 20
                    ) << 20,
                Port = (int)(arguments.Integer(Port.Name, 0, PortMax) ?? options.Port),
                AllowedOrigins = [.. arguments.All(AllowOrigin.Name).Select(v => v[0])],
                Tls = Tls(context, arguments),
                Slots = (int?)arguments.Integer(Slots.Name, 1, SlotsMax),
                Kernels = KernelServeOptions.Read(arguments),
                Callbacks = CallbackServeOptions.Read(context, arguments),
                LogFormat =
                    arguments.Choice(LogFormat.Name, ConsoleLogs.Text, ConsoleLogs.Json, ConsoleLogs.Journald)
                    ?? FormatOf(context.Environment("HOLDFAST_LOG_FORMAT"))
                    ?? options.LogFormat,
                Retention = RetentionServeOptions.Read(arguments),
                Assets = AssetServeOptions.Read(arguments),
            },
            CancellationToken.None
        );
    }

    private static string? FormatOf(string? variable) =>
        variable switch
        {
            null or "" => null,
            ConsoleLogs.Text or ConsoleLogs.Json or ConsoleLogs.Journald => variable,
            _ => throw new UsageException(
                $"HOLDFAST_LOG_FORMAT is {variable}; it can be {ConsoleLogs.Text}, {ConsoleLogs.Json} or {ConsoleLogs.Journald}."
            ),
        };
}
