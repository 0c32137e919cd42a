using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Finds the server: what the command line says comes before what the environment says, and both before the data directory's own record. It
/// is asked anew at each reconnection, because a server that comes back may listen at another port.
/// </summary>
public sealed class ServerLocator
{
    private readonly Func<string, string?> _environment;
    private readonly string? _url;
    private readonly string? _token;

    public ServerLocator(Arguments arguments, Func<string, string?> environment)
    {
        _environment = environment;
        string? data = arguments.Text(GlobalOptions.Data.Name);
        Paths = DataDirectoryPaths.Resolve(data, environment);
        (string? url, string source) = arguments.Text(GlobalOptions.Url.Name) is { } given
            ? (given, GlobalOptions.Url.Name)
            : (data is null ? NotEmpty(environment("HOLDFAST_URL")) : null, "HOLDFAST_URL");
        _url = url is null ? null : Normalised(url, source);
        _token = arguments.Text(GlobalOptions.Token.Name) ?? NotEmpty(environment("HOLDFAST_TOKEN"));
    }

    public DataDirectoryPaths Paths { get; }

    /// <summary>True when nothing but the data directory says where the server is: then one may be started there.</summary>
    public bool IsByDataDirectory => _url is null;

    /// <summary>The server's address; null when the data directory knows of none that lives.</summary>
    public ServerAddress? Locate()
    {
        ServerRecord? record = ServerRecord.FindLive(Paths);
        if (_url is null)
        {
            return record is null
                ? null
                : new ServerAddress(record.Url.TrimEnd('/'), ExplicitToken() ?? ReadToken(), IsLocal: true)
                {
                    CertificateSha256 = record.CertificateSha256,
                };
        }

        // The data directory's token is for the data directory's server, and for no other that happens to be asked.
        bool isOurs = record is not null && record.Url.TrimEnd('/') == _url;
        return new ServerAddress(_url, _token ?? (isOurs ? ReadToken() : null), isOurs || new Uri(_url).IsLoopback)
        {
            CertificateSha256 = isOurs ? record!.CertificateSha256 : null,
        };
    }

    /// <summary>For a server that cannot be reached: what was tried, and what to do.</summary>
    public RefusedException Unreachable(string? why) =>
        new(
            ErrorCodes.ServerUnreachable,
            _url is null
                ? $"No server runs on the data directory {Paths.Root}{(why is null ? "" : $" ({why})")}. Start one with: holdfast serve{DataOption()}"
                : $"No server answers at {_url}{(why is null ? "" : $" ({why})")}. See that it runs there and that the address is right."
        );

    // A token in the environment belongs to the address in the environment; alone, it is meant for whatever is found.
    private string? ExplicitToken() => NotEmpty(_environment("HOLDFAST_URL")) is null ? _token : null;

    private string DataOption() => Paths.Root == DataDirectoryPaths.Resolve(null, _environment).Root ? "" : $" --data {Paths.Root}";

    private string? ReadToken()
    {
        try
        {
            return NotEmpty(File.ReadAllText(Paths.Token).Trim());
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(
                ErrorCodes.Unauthorized,
                $"The token {Paths.Token} cannot be read: {error.Message} Give it with --token or HOLDFAST_TOKEN."
            );
        }
    }

    private static string Normalised(string url, string source) =>
        Uri.TryCreate(url, UriKind.Absolute, out Uri? parsed) && parsed.Scheme is "http" or "https" && parsed is { Query: "", Fragment: "" }
            ? url.TrimEnd('/')
            : throw new UsageException($"{source} takes an address such as http://127.0.0.1:8787, not '{url}'.");

    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
