using Holdfast.Engine.Assets;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Retention;
using Holdfast.Server.Hosting.Tls;

namespace Holdfast.Server.Hosting;

/// <summary>What `holdfast serve` is told.</summary>
public sealed record ServeOptions
{
    public const int DefaultPort = 8787;

    /// <summary>Default: $HOLDFAST_DATA, else $XDG_STATE_HOME/holdfast, else ~/.local/state/holdfast.</summary>
    public string? DataDirectory { get; init; }

    /// <summary>The folder notebooks are served from. Default: the current one.</summary>
    public string Root { get; init; } = Environment.CurrentDirectory;

    /// <summary>The address to listen on. Default: loopback only.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>
    /// Pages of these origins (<c>https://example.org</c>; <c>*</c> for all) may call the server. Default: only its own, and, at the
    /// Jupyter door, those that know the token.
    /// </summary>
    public IReadOnlyList<string> AllowedOrigins { get; init; } = [];

    /// <summary>0: any free one; server.json says which.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Speak TLS with this certificate. Default: none, plain HTTP.</summary>
    public TlsFiles? Tls { get; init; }

    /// <summary>How the log is written to standard error: text, json, or journald.</summary>
    public string LogFormat { get; init; } = ConsoleLogs.Text;

    /// <summary>How many jobs run at once. Default: twice the processors.</summary>
    public int? Slots { get; init; }

    /// <summary>How long what is over is kept.</summary>
    public RetentionOptions Retention { get; init; } = new();

    /// <summary>What of outputs is kept outside of notebooks, how long, and how much.</summary>
    public AssetOptions Assets { get; init; } = new();

    /// <summary>How kernels are restarted, culled, limited and kept ready.</summary>
    public KernelOptions Kernels { get; init; } = new();

    /// <summary>Whether clients see files whose names begin with a dot. Default: no.</summary>
    public bool AllowsHidden { get; init; }

    /// <summary>
    /// Bytes that one message of a kernel's client may have. Default: 112 MiB, which is what fits on a supervisor's link with its head.
    /// Since 0.2.
    /// </summary>
    public int MessageBytesMax { get; init; } = MessageBytesLimit;

    /// <summary>A link's frame holds no more.</summary>
    public const int MessageBytesLimit = 112 * 1024 * 1024;

    /// <summary>Where callbacks may go beside the public internet.</summary>
    public CallbackOptions Callbacks { get; init; } = new();
}
