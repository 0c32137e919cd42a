using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Link;

/// <summary>
/// The supervisor's end of the link: listens, keeps the connections, and tells all of them the notices. What a request means is the
/// <see cref="Work"/>'s to know. A peer that misbehaves or does not read harms its own connection only.
/// </summary>
internal sealed class LinkServer
{
    private readonly PollLoop _loop;
    private readonly Work _work;
    private readonly List<LinkConnection> _connections = [];
    private PollRegistration? _listening;
    private int _listener = -1;

    public LinkServer(PollLoop loop, Work work)
    {
        _loop = loop;
        _work = work;
        loop.AfterBatch += AfterBatch;
    }

    /// <summary>The path it listens at; empty before <see cref="Listen"/>.</summary>
    public string SocketPath { get; private set; } = "";

    /// <summary>Connections whose hello was accepted.</summary>
    public int GreetedCount { get; private set; }

    internal PollLoop Loop => _loop;

    internal Work Work => _work;

    public void Listen(string path)
    {
        _listener = UnixSocket.Listen(path);
        SocketPath = path;
        _listening = _loop.Add(_listener, PollEvents.Readable, _ => Accept());
    }

    /// <summary>Takes a socket that is connected already; false when it is none, or its other end is not ours.</summary>
    public bool Adopt(int fd)
    {
        if (!UnixSocket.IsConnected(fd))
        {
            return false;
        }

        const int setCloseOnExec = 2;
        _ = Libc.Fcntl(fd, setCloseOnExec, 1);
        Posix.SetNonBlocking(fd);
        _connections.Add(new LinkConnection(this, fd));
        return true;
    }

    /// <summary>Tells every greeted peer.</summary>
    public void Notify(LinkMessage notice)
    {
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            if (_connections[i].IsGreeted)
            {
                _connections[i].Send(notice);
            }
        }
    }

    /// <summary>
    /// Something worth more than growth has happened: those who watch are told at the end of this batch, however lately they were told.
    /// </summary>
    public void TellGrowthNow()
    {
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            _connections[i].TellGrowthNow();
        }
    }

    /// <summary>What was just written is nobody's news: it waits for what follows it, for the usual pause at most.</summary>
    public void TellGrowthLater()
    {
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            _connections[i].TellGrowthLater();
        }
    }

    /// <summary>As <see cref="TellGrowthNow"/>, within a batch that takes long.</summary>
    public void TellGrowthAtOnce()
    {
        TellGrowthNow();
        AfterBatch();
    }

    /// <summary>Last words are out, as far as the peers take them without waiting; stops listening and closes everything.</summary>
    public void Close()
    {
        AfterBatch();
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            _connections[i].Close();
        }

        if (_listener >= 0)
        {
            // The name first: who finds it knows that somebody listens.
            _ = Posix.Unlink(SocketPath);
            _listening!.Remove();
            _ = Libc.Close(_listener);
            _listener = -1;
        }
    }

    internal void Greeted()
    {
        GreetedCount++;
        _work.ConnectionsChanged(GreetedCount);
    }

    internal void Closed(LinkConnection connection)
    {
        _ = _connections.Remove(connection);
        if (connection.IsGreeted)
        {
            GreetedCount--;
            _work.ConnectionsChanged(GreetedCount);
        }
    }

    private void Accept()
    {
        for (int fd; (fd = UnixSocket.Accept(_listener)) >= 0; )
        {
            if (UnixSocket.IsOfOwnUser(fd))
            {
                _connections.Add(new LinkConnection(this, fd));
            }
            else
            {
                SupervisorLog.Write("refused a connection of another user");
                _ = Libc.Close(fd);
            }
        }
    }

    private void AfterBatch()
    {
        for (int i = _connections.Count - 1; i >= 0; i--)
        {
            _connections[i].FlushUnlessBlocked();
        }
    }
}
