using System.Net.Sockets;
using System.Text;
using Holdfast.Server.Hosting;

namespace Holdfast.Tests.Hosting;

/// <summary>What a service manager is told.</summary>
public sealed class SystemdNoticeTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void It_is_told_by_a_datagram_to_a_path_or_to_a_name_without_one(bool isAbstract)
    {
        string folder = Directory.CreateTempSubdirectory("hf-notice-").FullName;
        string path = Path.Combine(folder, "notify");
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + path : path));
        var notice = new SystemdNotice(isAbstract ? "@" + path : path);

        notice.Ready("Serving.");
        Assert.Equal($"READY=1\nMAINPID={Environment.ProcessId}\nSTATUS=Serving.\n", Receive(manager));
        notice.Stopping("Going.");
        Assert.Equal("STOPPING=1\nSTATUS=Going.\n", Receive(manager));
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("vsock:2:1")]
    [InlineData("/nowhere/at/all")]
    public void Nobody_who_listens_is_no_reason_not_to_serve(string? address) => new SystemdNotice(address).Ready("Serving.");

    private static string Receive(Socket manager)
    {
        var buffer = new byte[500];
        return Encoding.UTF8.GetString(buffer, 0, manager.Receive(buffer));
    }
}
