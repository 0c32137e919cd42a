using System.Globalization;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Where a kernel is to listen: the connection file, written before the kernel is started, and with <c>ipc</c> the five sockets' names.
/// They hold the key to running code, so both are deleted when the kernel is gone.
/// </summary>
internal sealed class KernelFiles
{
    /// <summary>sun_path without its final zero, and without the "-5" that the kernel adds.</summary>
    private const int IpcPathBytesMax = 107 - 2;

    private const int ChannelCount = 5;
    private readonly string _path;

    private KernelFiles(string path, ConnectionFile connection, string[] argv)
    {
        _path = path;
        Connection = connection;
        Argv = argv;
    }

    public ConnectionFile Connection { get; }

    /// <summary>The spec's command with <c>{connection_file}</c> replaced.</summary>
    public string[] Argv { get; }

    /// <param name="seed">Where the search for free ports begins, so that two kernels started at once do not look at the same.</param>
    public static KernelFiles Create(AttemptHold hold, long seed)
    {
        AttemptSpec spec = hold.Spec;
        string path = hold.Files.Connection;
        string? ipc = spec.Transport == "ipc" ? IpcPath(hold) : null;
        int[] ports = ipc is null ? FreePorts.Find(ChannelCount, seed) : [1, 2, 3, 4, 5];
        var connection = new ConnectionFile
        {
            Transport = ipc is null ? "tcp" : "ipc",
            Ip = ipc ?? "127.0.0.1",
            Key = spec.Key ?? "",
            ShellPort = ports[0],
            IoPubPort = ports[1],
            StdinPort = ports[2],
            ControlPort = ports[3],
            HeartbeatPort = ports[4],
        };
        connection.Write(path);

        var argv = new string[spec.Argv.Length];
        for (int i = 0; i < argv.Length; i++)
        {
            argv[i] = spec.Argv[i].Replace("{connection_file}", path, StringComparison.Ordinal);
        }

        return new KernelFiles(path, connection, argv);
    }

    public void Delete()
    {
        _ = Posix.Unlink(_path);
        if (Connection.Transport == "ipc")
        {
            for (int i = 1; i <= ChannelCount; i++)
            {
                _ = Posix.Unlink(string.Create(CultureInfo.InvariantCulture, $"{Connection.Ip}-{i}"));
            }
        }
    }

    /// <summary>In the attempt's folder, or beside the link's socket, whose folder is chosen for its shortness; null when neither is short
    /// enough.</summary>
    private static string? IpcPath(AttemptHold hold)
    {
        string inAttempt = Path.Combine(hold.Files.Directory, "k");
        string? besideLink = hold.Spec.Socket is { } socket ? Path.ChangeExtension(socket, ".k") : null;
        return Fits(inAttempt) ? inAttempt
            : Fits(besideLink) ? besideLink
            : null;
    }

    private static bool Fits(string? path) => path is not null && Encoding.UTF8.GetByteCount(path) <= IpcPathBytesMax;
}
