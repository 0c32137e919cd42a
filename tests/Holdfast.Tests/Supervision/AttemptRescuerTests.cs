using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Holdfast.Tests.Supervision;

/// <summary>What is told of a supervisor that lives and cannot be had.</summary>
public sealed class AttemptRescuerTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("hf-rescuer-").FullName;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Of_a_supervisor_whose_socket_went_with_its_directory_is_told_what_to_do()
    {
        var files = new AttemptFiles(Directory.CreateDirectory(Path.Combine(_root, "01kcq8v6t0e9m3n5p7r9s1v3x5")).FullName);
        string socket = Path.Combine(_root, "moved", "away.sock");
        using FileLock held = FileLock.TryAcquire(files.Lock)!;
        await File.WriteAllBytesAsync(
            files.Supervisor,
            new SupervisorRecord
            {
                Protocol = 1,
                Version = "1",
                Process = ProcessIdentity.Current,
                Nonce = "n",
                Socket = socket,
                Mode = AttemptSpec.KindJob,
            }.Write(),
            TestContext.Current.CancellationToken
        );
        var live = new LiveAttempt(
            new Attempt(
                new AttemptId("01kcq8v6t0e9m3n5p7r9s1v3x5"),
                1,
                "n",
                ProcessIdentity.BootIdNow,
                new ExecutionId("01kcq8v6t0e9m3n5p7r9s1v3x6"),
                null
            ),
            files.Directory
        );

        Assert.Null(
            await new AttemptRescuer(TimeProvider.System, NullLogger<AttemptRescuer>.Instance).ReattachAsync(
                live,
                static _ => { },
                TestContext.Current.CancellationToken
            )
        );

        Assert.Equal(SupervisorHealth.Stale, live.Health);
        Assert.StartsWith($"Its socket {socket} is not there.", live.LinkProblem, StringComparison.Ordinal);
    }
}
