using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// What a callback's command reads from and writes to. Its input is a file in memory, so that nobody has to write while it reads; its
/// output a pipe, so that it may say as much as it likes and only the beginning is kept.
/// </summary>
internal sealed unsafe partial class CommandPipes : IDisposable
{
    private const int CloseOnExec = 1;
    private const int SetFlags = 4;

    private readonly SafeFileHandle _input;
    private int _output;

    private CommandPipes(SafeFileHandle input, int reading, int output) => (_input, Reading, _output) = (input, reading, output);

    public int Input => (int)_input.DangerousGetHandle();

    /// <summary>The child's end of the pipe.</summary>
    public int Output => _output;

    /// <summary>Our end; reading from it never waits.</summary>
    public int Reading { get; }

    public static CommandPipes Open(ReadOnlySpan<byte> body)
    {
        int memory = MemfdCreate("holdfast-callback", CloseOnExec);
        if (memory < 0)
        {
            throw Libc.Failure("memfd_create", "for a callback");
        }

        var input = new SafeFileHandle(memory, ownsHandle: true);
        int* ends = stackalloc int[2];
        try
        {
            RandomAccess.Write(input, body, 0); // Which leaves the position at 0, where the command begins.
            if (Libc.Pipe2(ends, Libc.OpenCloseOnExec) != 0)
            {
                throw Libc.Failure("pipe2", "for a callback");
            }
        }
        catch
        {
            input.Dispose();
            throw;
        }

        _ = Libc.Fcntl(ends[0], SetFlags, Libc.OpenNonBlock);
        return new CommandPipes(input, ends[0], ends[1]);
    }

    /// <summary>Lets go of the child's end, so that ours ends when the child's copies are closed.</summary>
    public void CloseOutput()
    {
        if (_output >= 0)
        {
            _ = Libc.Close(_output);
            _output = -1;
        }
    }

    public void Dispose()
    {
        _input.Dispose();
        CloseOutput();
        _ = Libc.Close(Reading);
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemfdCreate(string name, uint flags);
}
