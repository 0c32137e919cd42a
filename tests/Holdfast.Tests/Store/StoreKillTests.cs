using System.Diagnostics;
using System.Globalization;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Store;

/// <summary>
/// Goal: acknowledged means durable, whatever happens to the process. Method: a second process of this very program writes for many
/// callers, notes what was acknowledged, and kills itself with -9 in full flow; the store must hold every noted row.
/// </summary>
public class StoreKillTests
{
    private const string ChildVariable = "HOLDFAST_TEST_STORE_WRITER";
    private const string AcknowledgedFile = "acknowledged";
    private const int Callers = 20;
    private const int AcknowledgedBeforeKill = 1000;
    private const int KilledExitCode = 128 + 9;

    [Fact]
    public async Task Every_acknowledged_row_is_there_after_kill_9()
    {
        string directory = TemporaryStore.NewDirectory();
        const int Rounds = 2; // The second one starts on what the first left behind.
        for (int round = 0; round < Rounds; round++)
        {
            Assert.Equal(KilledExitCode, await RunChildAsync($"{round}:{directory}"));
        }

        // The last may be cut off.
        string[] acknowledged = [.. File.ReadLines(Path.Combine(directory, AcknowledgedFile)).Where(line => line.EndsWith('.'))];
        await using (StateStore store = TemporaryStore.OpenIn(directory))
        {
            HashSet<string> kept = [.. store.Read(TemporaryStore.Names)];
            Assert.All(acknowledged, name => Assert.Contains(name, kept));

            // Each caller waits for its answer, so at most one row of each may have been committed unheard in each round.
            Assert.InRange(acknowledged.Length, Rounds * AcknowledgedBeforeKill, kept.Count);
            Assert.InRange(kept.Count, acknowledged.Length, acknowledged.Length + (Rounds * Callers));
            Assert.Empty(store.CheckIntegrity());
        }

        Directory.Delete(directory, recursive: true);
    }

    /// <summary>The other side of the test above. Explicit, so that it runs only in the process that is to die.</summary>
    [Fact(Explicit = true)]
    public async Task Write_until_killed()
    {
        string? orders = Environment.GetEnvironmentVariable(ChildVariable);
        Assert.SkipWhen(orders is null, "runs in a process of its own");
        int colon = orders.IndexOf(':', StringComparison.Ordinal);
        string round = orders[..colon];
        string directory = orders[(colon + 1)..];

        await using StateStore store = TemporaryStore.OpenIn(directory);
        using FileStream notes = new(
            Path.Combine(directory, AcknowledgedFile),
            FileMode.Append,
            FileAccess.Write,
            FileShare.Read,
            bufferSize: 0
        );
        int acknowledged = 0;
        await Task.WhenAll(
            Enumerable
                .Range(0, Callers)
                .Select(async caller =>
                {
                    for (int i = 0; ; i++)
                    {
                        string name = $"{round}/{caller}/{i}.";
                        _ = await store.WriteAsync(tx => TemporaryStore.Insert(tx, name), CancellationToken.None);
                        Note(notes, name);
                        if (Interlocked.Increment(ref acknowledged) == AcknowledgedBeforeKill)
                        {
                            _ = Libc.Kill(Environment.ProcessId, Libc.SigKill);
                        }
                    }
                })
        );
    }

    private static void Note(FileStream notes, string name)
    {
        lock (notes)
        {
            notes.Write(System.Text.Encoding.ASCII.GetBytes(name + "\n"));
        }
    }

    private static async Task<int> RunChildAsync(string orders)
    {
        string method = string.Create(CultureInfo.InvariantCulture, $"{typeof(StoreKillTests).FullName}.{nameof(Write_until_killed)}");
        var start = new ProcessStartInfo(
            Path.Combine(AppContext.BaseDirectory, "Holdfast.Tests"),
            ["--filter-method", method, "--explicit", "only", "--no-progress"]
        )
        {
            RedirectStandardOutput = true,
        };
        start.Environment[ChildVariable] = orders;
        using Process child = Process.Start(start)!;
        _ = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        return child.ExitCode;
    }
}
