namespace Holdfast.Engine.Store;

/// <summary>
/// Where things lie under a data directory. Names only: it touches no file, and is the same for the server and for a client that looks for
/// it.
/// </summary>
public sealed class DataDirectoryPaths
{
    public DataDirectoryPaths(string root) => Root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Root { get; }

    public string ServerLock => Path.Combine(Root, "server.lock");

    public string ServerRecord => Path.Combine(Root, "server.json");

    public string Token => Path.Combine(Root, "token");

    public string Database => Path.Combine(Root, StoreOptions.FileName);

    public string Attempts => Path.Combine(Root, "attempts");

    public string Assets => Path.Combine(Root, "assets");

    /// <summary>Where each session of a kernel's clients stands, a folder per kernel.</summary>
    public string Clients => Path.Combine(Root, "clients");

    /// <summary>What a sweep has set aside, until its time has come.</summary>
    public string Trash => Path.Combine(Root, "trash");

    /// <summary>Sockets, unless the path is too long for them (<see cref="SocketDirectory"/>).</summary>
    public string Run => Path.Combine(Root, "run");

    /// <summary>What notebooks are converted in, and nothing that lasts.</summary>
    public string Conversions => Path.Combine(Root, "conversions");

    /// <summary>What front ends keep with the server, by kind.</summary>
    public string Preference(string kind) => Path.Combine(Root, "preferences", kind);

    public string Attempt(string id) => Path.Combine(Attempts, id);

    /// <summary><c>assets/ab/abcdef…</c>: 256 folders keep each of them small.</summary>
    public string Asset(string sha256) => Path.Combine(Assets, sha256[..2], sha256);

    /// <summary>
    /// The first of: what was asked for; $HOLDFAST_DATA; $XDG_STATE_HOME/holdfast; ~/.local/state/holdfast. An empty variable counts as
    /// unset, and a relative $XDG_STATE_HOME is ignored, both as the XDG Base Directory Specification asks.
    /// </summary>
    public static DataDirectoryPaths Resolve(string? requested, Func<string, string?> environment)
    {
        if ((NotEmpty(requested) ?? NotEmpty(environment("HOLDFAST_DATA"))) is { } given)
        {
            return new DataDirectoryPaths(given);
        }

        if (NotEmpty(environment("XDG_STATE_HOME")) is { } stateHome && Path.IsPathRooted(stateHome))
        {
            return new DataDirectoryPaths(Path.Combine(stateHome, "holdfast"));
        }

        string home = NotEmpty(environment("HOME")) ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return new DataDirectoryPaths(Path.Combine(home, ".local", "state", "holdfast"));
    }

    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
