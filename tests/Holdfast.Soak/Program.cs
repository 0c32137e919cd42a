using System.Runtime.InteropServices;
using Holdfast.Soak;

// `./dev crash` and `./dev soak`: see docs/soak.md.
if (SoakOptions.Parse(args) is not { } options)
{
    return 2;
}

using var interrupted = new CancellationTokenSource();
using var abandoned = new CancellationTokenSource();

// The first ends the load, and the books are balanced as far as they go; the second ends it all at once.
void End(PosixSignalContext context)
{
    context.Cancel = true;
    if (interrupted.IsCancellationRequested)
    {
        abandoned.Cancel();
    }

    interrupted.Cancel();
}

using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
return await new SoakRun(options).RunAsync(interrupted.Token, abandoned.Token);
