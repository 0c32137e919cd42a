using System.Runtime.InteropServices;

namespace Holdfast.Server.Cli.Screen;

/// <summary>
/// A terminal that hands on every key, and is put right again however we end: disposed, told to by a signal, or hung up on.
/// </summary>
internal sealed class RawInput : IDisposable
{
    private readonly int _fd;
    private readonly Action<bool> _say;
    private readonly byte[]? _before;
    private readonly PosixSignalRegistration[] _signals;

    /// <param name="say">Is told whether it is raw now.</param>
    public RawInput(int fd, Action<bool> say)
    {
        _fd = fd;
        _before = Tty.MakeRaw(fd);
        _say = say;
        _say(_before is not null);
        _signals =
        [
            .. ((PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT]).Select(s =>
                PosixSignalRegistration.Create(s, _ => Restore())
            ),
            PosixSignalRegistration.Create(PosixSignal.SIGCONT, BeRawAgain),
        ];
    }

    public void Dispose()
    {
        Array.ForEach(_signals, static s => s.Dispose());
        Restore();
    }

    /// <summary>Whoever stood still finds the modes that his shell has set meanwhile; and the runtime would set its own.</summary>
    private void BeRawAgain(PosixSignalContext continued)
    {
        continued.Cancel = true;
        _ = Tty.MakeRaw(_fd);
    }

    private void Restore()
    {
        if (_before is not null)
        {
            Tty.Restore(_fd, _before);
            _say(false);
        }
    }
}
