using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Holdfast.Protocol.Processes;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Holdfast.Server.Hosting;

/// <summary>
/// The sockets that the server listens at, kept by the service manager beyond the server's end. 1. What the manager hands over
/// (sd_listen_fds(3)) is taken for the address that it is bound to;
/// 2. when the server listens, the manager is given what it does not have yet. So the address is never without an owner: whoever connects
/// while no server is there waits in the socket's line for the next one and is not refused, which some clients take for a reason to look
/// again only after 10 to 30 s.
/// </summary>
public sealed class ListeningSockets
{
    private const int FirstDescriptor = 3;
    private const int SetDescriptorFlags = 2; // F_SETFD
    private const int CloseOnExec = 1;
    private static readonly string[] Variables = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"];

    private readonly SystemdNotice _manager;
    private readonly List<Socket> _handedOver = [];
    private readonly List<Socket> _used = [];
    private readonly List<Socket> _made = [];

    private ListeningSockets(SystemdNotice manager) => _manager = manager;

    /// <summary>
    /// Takes what this process was started with. The variables are taken away, for they are not meant for what it starts in turn.
    /// </summary>
    public static ListeningSockets FromEnvironment(SystemdNotice manager)
    {
        var sockets = new ListeningSockets(manager);
        string? process = Environment.GetEnvironmentVariable(Variables[0]);
        string? count = Environment.GetEnvironmentVariable(Variables[1]);
        Array.ForEach(Variables, static name => Environment.SetEnvironmentVariable(name, null));
        if (
            process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            && int.TryParse(count, NumberStyles.None, CultureInfo.InvariantCulture, out int descriptors)
        )
        {
            for (int fd = FirstDescriptor; fd < FirstDescriptor + descriptors; fd++)
            {
                sockets.Take(fd);
            }
        }

        return sockets;
    }

    /// <summary>A socket that is bound to the address: one that was handed over, or a new one.</summary>
    public Socket Bind(EndPoint address)
    {
        int found = _handedOver.FindIndex(socket => IsAt(socket, address));
        if (found >= 0)
        {
            Socket socket = _handedOver[found];
            _handedOver.RemoveAt(found);
            _used.Add(socket);
            return socket;
        }

        Socket made = SocketTransportOptions.CreateDefaultBoundListenSocket(address);
        _made.Add(made);
        return made;
    }

    /// <summary>
    /// To be called when all of them listen. What was handed over and is not wanted any more, since the server was told another address, is
    /// given up.
    /// </summary>
    public void LeaveWithManager()
    {
        if (_handedOver.Count > 0)
        {
            _handedOver.ForEach(static socket => socket.Dispose());
            _manager.Forget();
            _used.ForEach(_manager.Keep);
        }

        _made.ForEach(_manager.Keep);
    }

    private void Take(int fd)
    {
        _ = Libc.Fcntl(fd, SetDescriptorFlags, CloseOnExec);
        try
        {
            _handedOver.Add(new Socket(new SafeSocketHandle(fd, ownsHandle: true)));
        }
        catch (SocketException)
        {
            // No socket, and so not for us.
        }
    }

    private static bool IsAt(Socket socket, EndPoint address) =>
        socket.LocalEndPoint is IPEndPoint at
        && address is IPEndPoint wanted
        && at.Address.Equals(wanted.Address)
        && (wanted.Port == 0 || wanted.Port == at.Port);
}
