using System.Runtime.InteropServices;

namespace Holdfast.Server.Cli;

/// <summary>Ctrl-C, for verbs that wait: the first asks them to stop waiting, the second ends the program as if nobody listened.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private PosixSignalRegistration? _registration;

    /// <summary>Begins to listen at the first call.</summary>
    public CancellationToken Listen()
    {
        _registration ??= PosixSignalRegistration.Create(
            PosixSignal.SIGINT,
            signal =>
            {
                signal.Cancel = !_source.IsCancellationRequested;
                _source.Cancel();
            }
        );
        return _source.Token;
    }

    public void Dispose()
    {
        _registration?.Dispose();
        _source.Dispose();
    }
}
