using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Holdfast.Server.Hosting;

/// <summary>
/// Tells the service manager that started us how we are, by a datagram to the socket in NOTIFY_SOCKET (sd_notify(3)). Without that variable
/// nobody asked, and nothing is sent; a manager that does not listen is no reason not to serve.
/// </summary>
public sealed partial class SystemdNotice(string? address)
{
    public const string Variable = "NOTIFY_SOCKET";

    /// <summary>By which the manager knows our descriptors.</summary>
    private const string DescriptorName = "holdfast";

    /// <summary>The server has recovered and serves.</summary>
    public void Ready(string status) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"READY=1\nMAINPID={Environment.ProcessId}\nSTATUS={status}\n"));

    public void Status(string status) => Send($"STATUS={status}\n");

    public void Stopping(string status) => Send($"STOPPING=1\nSTATUS={status}\n");

    /// <summary>
    /// Asks it to hold this socket open when we end, and to start the next server with it. It keeps as many as its unit says
    /// (FileDescriptorStoreMax=).
    /// </summary>
    public void Keep(Socket socket) => Send($"FDSTORE=1\nFDNAME={DescriptorName}\n", (int)socket.SafeHandle.DangerousGetHandle());

    /// <summary>Asks it to let go of all that it keeps for us.</summary>
    public void Forget() => Send($"FDSTOREREMOVE=1\nFDNAME={DescriptorName}\n");

    private void Send(string text, int? descriptor = null)
    {
        // A path, or a name in the abstract name space, which is written with @ for its leading zero.
        if (string.IsNullOrEmpty(address) || address[0] is not ('/' or '@'))
        {
            return;
        }

        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.Connect(new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address));
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            if (descriptor is { } fd)
            {
                SendWithDescriptor((int)socket.SafeHandle.DangerousGetHandle(), bytes, fd);
            }
            else
            {
                _ = socket.Send(bytes);
            }
        }
        catch (SocketException)
        {
            // See above.
        }
    }
}
