using System.Globalization;
using Holdfast.Protocol;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>A server of the crash-point build whose processes are told where to die, and how to see that one did.</summary>
internal sealed class CrashStage : IAsyncDisposable
{
    private readonly string _died;

    private CrashStage(TestServer server, string died)
    {
        Server = server;
        _died = died;
        Truth = new TruthFile(server.PathOf("truth"));
    }

    public TestServer Server { get; }
    public TruthFile Truth { get; }

    /// <summary>Lives through every death of a server, and is told of the ends.</summary>
    public WebhookReceiver Receiver { get; } = new();

    /// <summary>The file that the dying process leaves: nothing dies before it is there, and only once.</summary>
    public bool HasCrashed => File.Exists(_died);

    /// <summary>A stage that is not started. Its options have no crash point yet.</summary>
    public static CrashStage Prepare(CrashScenario scenario, params string[] arguments)
    {
        string died = Path.Combine(Directory.CreateTempSubdirectory("holdfast-").FullName, "died");
        return new CrashStage(
            TestServer.Prepare(
                new TestServerOptions
                {
                    Programs = Published.CrashPoints,
                    Arguments = arguments,
                    Environment = new Dictionary<string, string>
                    {
                        ["HOLDFAST_CRASH_POINT"] = string.Create(CultureInfo.InvariantCulture, $"{scenario.Point}:{scenario.Arrival}"),
                        ["HOLDFAST_CRASH_ONCE"] = died,

                        // At these the machine dies, not the process alone: what was to be durable by then has to be.
                        ["HOLDFAST_CRASH_LOSES"] = LosesUnsynced(scenario.Point) ? "1" : "",
                        ["HOLDFAST_CALLBACKS_ALLOW"] = "127.0.0.0/8",
                    },
                }
            ),
            died
        );
    }

    private static bool LosesUnsynced(CrashPoint point) =>
        point is CrashPoint.SupervisorOutcomeSynced or CrashPoint.SupervisorExitSynced or CrashPoint.SupervisorExitRecorded;

    public Task WaitForCrashAsync() => Patience.UntilAsync(() => HasCrashed, "a process came to its crash point");

    /// <summary>Submits as a stubborn caller does: again with the same key, until it is acknowledged.</summary>
    public async Task<AcknowledgedJob> SubmitAsync(HouseJob job)
    {
        RestReply reply = await Server.PersistAsync(rest => rest.PostAsync("/v1/jobs", job.Request, job.Key));
        return reply.Status is 200 or 201 ? new AcknowledgedJob(job, reply.Execution.Id) : throw new InvalidOperationException(reply.Text);
    }

    public Task<ExecutionReply> WaitAsync(AcknowledgedJob job) => Server.PersistAsync(rest => rest.WaitAsync(job.Id));

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Receiver.Dispose();
        Directory.Delete(Path.GetDirectoryName(_died)!, recursive: true);
    }
}
