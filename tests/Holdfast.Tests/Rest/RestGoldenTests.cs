using System.Text;
using Holdfast.Engine;
using Holdfast.Engine.Access;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Recovery;
using Holdfast.Engine.Supervision;
using Holdfast.Server.Rest;
using Microsoft.AspNetCore.Http;

namespace Holdfast.Tests.Rest;

/// <summary>
/// Answers byte for byte. A field may be added, which changes a file on purpose; one that goes, or is named or written otherwise, breaks
/// somebody's script.
/// </summary>
public sealed class RestGoldenTests
{
    private const long CreatedAt = 1_767_323_045_678_901; // 2026-01-02T03:04:05.678901Z
    private const string KernelName = "0b9d1c58-5a5c-4d0e-9c3f-6f1f2b7f3a10";

    private static readonly Execution Job = new()
    {
        Sequence = 7,
        Id = new ExecutionId("01kcq8v6t0e9m3n5p7r9s1v3x5"),
        Kind = ExecutionKind.Job,
        State = ExecutionState.TimedOut,
        CreatedAt = CreatedAt,
        Name = "Größe \"<&>\"",
        Queue = "default",
        Labels = new Dictionary<string, string> { ["team"] = "vision" },
        Attempt = 2,
        StartedAt = CreatedAt + 1000,
        FinishedAt = CreatedAt + 60_000_000,
        Signal = 15,
        Cause = "timedOut",
        Reason = "It ran for longer than 60 s.",
        OutputBytes = 4096,
    };

    private static readonly Execution Cell = new()
    {
        Sequence = 8,
        Id = new ExecutionId("01kcq8v6t0e9m3n5p7r9s1v3x7"),
        Kind = ExecutionKind.Cell,
        State = ExecutionState.Running,
        CreatedAt = CreatedAt,
        Queue = "default",
        Attempt = 1,
        StartedAt = CreatedAt + 1,
        RunId = "01kcq8v6t0e9m3n5p7r9s1v3x6",
        CellId = "c0ffee01",
        CellIndex = 3,
    };

    private static readonly Run Run = new(
        "01kcq8v6t0e9m3n5p7r9s1v3x6",
        "/srv/notebooks/analysis.ipynb",
        RunState.Running,
        new KernelId(KernelName),
        new AttemptId("01kcq8v6t0e9m3n5p7r9s1v3x8"),
        true,
        true,
        0,
        CreatedAt
    );

    private static readonly Kernel Kernel = new(
        new KernelId(KernelName),
        "python3",
        KernelState.Running,
        new AttemptId("01kcq8v6t0e9m3n5p7r9s1v3x8"),
        "/srv/notebooks",
        CreatedAt
    )
    {
        Restarts = 1,
        LastActivityAt = CreatedAt,
        IsAutoRestarted = true,
        MemoryBytesMax = 1L << 30,
        CpuMillisMax = 1500,
        LastDeath = new KernelDeath("signalled", null, 11, "It was ended by SIGSEGV.", CreatedAt - 1),
    };

    private static readonly RecoveryReport Report = new()
    {
        IsComplete = true,
        StartedAt = CreatedAt,
        Milliseconds = 41.25049,
        Phases = [new RecoveryPhase("store", 1.5, 2, null), new RecoveryPhase("jobs", 35.0004, 1, "one was slow")],
        Attempts =
        [
            new RecoveredAttempt(
                "01kcq8v6t0e9m3n5p7r9s1v3x8",
                "01kcq8v6t0e9m3n5p7r9s1v3x5",
                null,
                "lost",
                "Its supervisor was killed, so how it ended cannot be known."
            ),
            new RecoveredAttempt("01kcq8v6t0e9m3n5p7r9s1v3x9", null, KernelName, "readopted", null),
        ],
        Queued = 3,
    };

    [Fact]
    public void An_execution_is_written_as_it_always_was() =>
        Assert.Equal(GoldenRest.Read("execution.json"), RestText.Of(w => ExecutionJson.Write(w, new ExecutionView(Job))));

    [Fact]
    public void A_running_cell_tells_its_run_and_its_supervisor() =>
        Assert.Equal(
            GoldenRest.Read("execution-cell.json"),
            RestText.Of(w =>
                ExecutionJson.Write(
                    w,
                    new ExecutionView(Cell)
                    {
                        SupervisorHealth = SupervisorHealth.Stale,
                        StallReason = "The disk is full.",
                        OutputBytes = 12,
                    }
                )
            )
        );

    [Fact]
    public void A_queued_job_has_every_field_and_null_where_there_is_nothing_to_tell() =>
        Assert.Equal(
            GoldenRest.Read("execution-queued.json"),
            RestText.Of(w =>
                ExecutionJson.Write(
                    w,
                    new ExecutionView(
                        new Execution
                        {
                            Sequence = 9,
                            Id = Job.Id,
                            Kind = ExecutionKind.Job,
                            State = ExecutionState.Queued,
                            CreatedAt = CreatedAt,
                            Queue = "default",
                        }
                    )
                    {
                        QueuePosition = 0,
                    }
                )
            )
        );

    [Fact]
    public void A_token_is_written_as_it_always_was() =>
        Assert.Equal(
            GoldenRest.Read("token.json"),
            RestText.Of(w =>
                TokenEndpoints.Write(
                    w,
                    new ApiToken("01kcq8v6t0e9m3n5p7r9s1v3xb", "ci \"<&>\"", AccessScopes.Read | AccessScopes.Run, CreatedAt, "main")
                    {
                        ExpiresAt = CreatedAt + 3_600_000_000,
                    },
                    CreatedAt,
                    "hf_once"
                )
            )
        );

    [Fact]
    public void The_record_of_deeds_is_written_as_it_always_was() =>
        Assert.Equal(
            GoldenRest.Read("audit.json"),
            RestText.Of(w =>
                AuditEndpoints.Write(
                    w,
                    [new AuditEntry(7, CreatedAt, "main", "main", "127.0.0.1", "ReleaseLock", "repo", "its host is gone")],
                    "7"
                )
            )
        );

    [Fact]
    public void A_run_is_written_as_it_always_was() =>
        Assert.Equal(
            GoldenRest.Read("run.json"),
            RestText.Of(w => NotebookEndpoints.Write(w, Run, [new RunCellView(3, "c0ffee01", Cell)]))
        );

    [Fact]
    public void A_kernel_is_written_as_it_always_was() =>
        Assert.Equal(
            GoldenRest.Read("kernel.json"),
            RestText.Of(w =>
                KernelEndpoints.Write(
                    w,
                    new KernelView(Kernel, "busy", true, 4711, CreatedAt + 5) { Connections = 2 },
                    new KernelUsage(61231104, 0.84, 12.5, 3)
                )
            )
        );

    [Fact]
    public void A_recovery_report_is_written_as_it_always_was() =>
        Assert.Equal(GoldenRest.Read("recovery.json"), RestText.Of(w => RecoveryEndpoints.Write(w, Report, [])));

    [Fact]
    public async Task A_problem_is_written_as_it_always_was()
    {
        var context = new DefaultHttpContext { TraceIdentifier = "0HNH1Q2V3K4L5:00000001" };
        var body = new MemoryStream();
        context.Response.Body = body;

        await Problem.WriteAsync(
            context,
            ErrorCodes.ExecutionNotFound,
            "There is no execution 'nonsense'. 'holdfast ls' lists those there are."
        );

        Assert.Equal(404, context.Response.StatusCode);
        Assert.Equal("application/problem+json", context.Response.ContentType);
        Assert.Equal(GoldenRest.Read("problem.json"), Encoding.UTF8.GetString(body.ToArray()));
    }
}
