using System.Diagnostics;
using Holdfast.Engine.Supervision;

namespace Holdfast.Tests.Supervision;

public sealed class LeftoverSweepTests
{
    private const string Nonce = "0123456789abcdefffff";

    [Fact]
    public async Task Only_processes_with_the_whole_mark_are_ended()
    {
        string attempt = "sweep" + Guid.NewGuid().ToString("N");
        using Process marked = Sleep("HOLDFAST_ATTEMPT", $"{attempt}:{Nonce[..16]}");
        Process[] others =
        [
            Sleep("HOLDFAST_ATTEMPT", $"{attempt}:fedcba9876543210"), // The same attempt's name, another secret.
            Sleep("OTHER", $"HOLDFAST_ATTEMPT={attempt}:{Nonce[..16]}"), // The text, but not the variable.
            Sleep("HOLDFAST_ATTEMPT", $"x{attempt}:{Nonce[..16]}"),
        ];
        try
        {
            Assert.Equal(1, LeftoverSweep.Run(attempt, Nonce));
            await marked.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.All(others, static p => Assert.False(p.HasExited));
            Assert.Equal(0, LeftoverSweep.Run(attempt, Nonce));
        }
        finally
        {
            foreach (Process other in others)
            {
                other.Kill();
                other.Dispose();
            }
        }
    }

    private static Process Sleep(string name, string value) =>
        Process.Start(new ProcessStartInfo("sleep", "600") { Environment = { [name] = value } })!;
}
