using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// A terminal for a child to run on. Until the child has ended its slave side is held open here as well: a program that closes it and opens
/// /dev/tty later would else seem to have ended in between, for the master reads EIO while nobody has the other side open.
/// </summary>
internal sealed unsafe class PseudoTerminal : IDisposable
{
    public const int SizeMax = ushort.MaxValue;
    private const int UsualRows = 24;
    private const int UsualColumns = 80;
    private int _master;
    private int _slave = -1;

    private PseudoTerminal(int master) => _master = master;

    /// <summary>The slave's path, for the child to open.</summary>
    public string Path { get; private set; } = "";

    /// <summary>A new one of that size; 0 for the usual. Throws an IOException when the system has none left.</summary>
    public static PseudoTerminal Open(int rows, int columns)
    {
        int master = Posix.OpenPseudoTerminal(Libc.OpenReadWrite | Posix.OpenNoControllingTerminal | Libc.OpenCloseOnExec);
        if (master < 0)
        {
            throw Libc.Failure("posix_openpt", "for the child");
        }

        var terminal = new PseudoTerminal(master);
        try
        {
            terminal.Prepare(rows > 0 ? rows : UsualRows, columns > 0 ? columns : UsualColumns);
            return terminal;
        }
        catch
        {
            terminal.Dispose();
            throw;
        }
    }

    /// <summary>A descriptor of the master's own, not blocking; the caller's to close.</summary>
    public int DuplicateMaster()
    {
        int fd = Libc.Fcntl(_master, Posix.DuplicateCloseOnExec, 0);
        return fd >= 0 ? fd : throw Libc.Failure("fcntl", "of the child's terminal");
    }

    /// <summary>False when the system would not have it.</summary>
    public bool TryResize(int rows, int columns)
    {
        ushort* size = stackalloc ushort[4] { (ushort)rows, (ushort)columns, 0, 0 };
        return Posix.Ioctl(_master, Posix.SetWindowSize, size) == 0;
    }

    public void Dispose()
    {
        Close(ref _slave);
        Close(ref _master);
    }

    private void Prepare(int rows, int columns)
    {
        const int nameBytes = 128;
        byte* name = stackalloc byte[nameBytes];
        if (
            Posix.GrantPseudoTerminal(_master) != 0
            || Posix.UnlockPseudoTerminal(_master) != 0
            || Posix.PseudoTerminalName(_master, name, nameBytes) != 0
        )
        {
            throw Libc.Failure("unlockpt", "for the child");
        }

        Path = Marshal.PtrToStringUTF8((nint)name)!;
        _slave = Libc.Open(Path, Libc.OpenReadWrite | Posix.OpenNoControllingTerminal | Libc.OpenCloseOnExec, 0);
        if (_slave < 0)
        {
            throw Libc.Failure("open", Path);
        }

        Posix.SetNonBlocking(_master);
        _ = TryResize(rows, columns);
    }

    private static void Close(ref int fd)
    {
        if (fd >= 0)
        {
            _ = Libc.Close(fd);
            fd = -1;
        }
    }
}
