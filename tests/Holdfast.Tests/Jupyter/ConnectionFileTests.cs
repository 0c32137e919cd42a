using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Jupyter;

public sealed class ConnectionFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("holdfast-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_connection_file_is_read_back_and_only_its_owner_may_read_it()
    {
        string path = Path.Combine(_folder.FullName, "connection.json");
        Tcp().Write(path);

        ConnectionFile back = ConnectionFile.Read(path);

        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(path) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.Equal("tcp://127.0.0.1:5001", back.Endpoint(KernelChannel.Shell));
        Assert.Equal("tcp://127.0.0.1:5002", back.Endpoint(KernelChannel.IoPub));
        Assert.Equal("tcp://127.0.0.1:5003", back.Endpoint(KernelChannel.Stdin));
        Assert.Equal("tcp://127.0.0.1:5004", back.Endpoint(KernelChannel.Control));
        Assert.Equal("tcp://127.0.0.1:5005", back.Endpoint(KernelChannel.Heartbeat));
        Assert.Equal("key", back.Key);
        Assert.Equal("python3", back.KernelName);
    }

    [Fact]
    public void Ipc_endpoints_are_paths_with_the_port_as_suffix() =>
        Assert.Equal(
            "ipc:///run/k-2",
            new ConnectionFile
            {
                Transport = "ipc",
                Ip = "/run/k",
                ShellPort = 1,
                IoPubPort = 2,
                StdinPort = 3,
                ControlPort = 4,
                HeartbeatPort = 5,
                Key = "",
            }.Endpoint(KernelChannel.IoPub)
        );

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"shell_port\":\"one\"}")]
    public void What_is_no_connection_file_is_refused_by_name(string text)
    {
        string path = Path.Combine(_folder.FullName, "connection.json");
        File.WriteAllText(path, text);

        Assert.Contains(path, Assert.Throws<FormatException>(() => ConnectionFile.Read(path)).Message, StringComparison.Ordinal);
    }

    private static ConnectionFile Tcp() =>
        new()
        {
            Transport = "tcp",
            Ip = "127.0.0.1",
            ShellPort = 5001,
            IoPubPort = 5002,
            StdinPort = 5003,
            ControlPort = 5004,
            HeartbeatPort = 5005,
            Key = "key",
            KernelName = "python3",
        };
}
