using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Supervision;
using Holdfast.Engine.Tracing;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Engine.Jobs;

/// <summary>Turns a claimed job into the spec.json of its attempt.</summary>
internal sealed class JobSpec(AttemptFolders folders, JobOptions options)
{
    private readonly Dictionary<string, string> _inherited = ServerEnvironment.Inherited();

    /// <summary>
    /// Writes the folder and its spec; a crash before or in the middle of it leaves a folder that recovery calls "never started".
    /// </summary>
    public void Write(ClaimedJob job)
    {
        JobRequest request = JsonSerializer.Deserialize(job.Request, JobJson.Default.JobRequest)!;
        string directory = folders.Of(job.Attempt.Id);
        Directory.CreateDirectory(directory);
        (string[] inherit, string[] written) = WorkEnvironment.SplitSecrets(Variables(request, job)); // Whom it goes to is not known yet.
        var spec = new AttemptSpec
        {
            Attempt = job.Attempt.Id.Value,
            Kind = AttemptSpec.KindJob,
            Nonce = job.Attempt.Nonce,
            Fence = job.Attempt.Fence,
            Socket = folders.SocketOf(job.Attempt.Id),
            Argv = [.. request.Argv!],
            Cwd = request.Cwd ?? Environment.CurrentDirectory,
            Environment = written,
            Inherit = inherit,
            StandardInput = request.OpenStdin ? AttemptSpec.InputPipe : AttemptSpec.InputNull,
            StandardInputBytes = request.Stdin is { } text ? Encoding.UTF8.GetBytes(text) : null,
            TimeoutMs = request.TimeoutSeconds is { } seconds ? (long)Math.Ceiling(seconds * 1000) : 0,
            Pty = request.Pty is true,
            Rows = request.Rows ?? 0,
            Columns = request.Columns ?? 0,
            GraceMs = (long)options.StopGrace.TotalMilliseconds,
        };
        File.WriteAllBytes(new AttemptFiles(directory).Spec, spec.Write());
    }

    private Dictionary<string, string> Variables(JobRequest request, ClaimedJob job)
    {
        var variables = new Dictionary<string, string>(_inherited);
        if (request.Pty is true)
        {
            // What ours is says nothing of a terminal that many kinds of client will show; and it has a size of its own.
            variables["TERM"] = "xterm-256color";
            variables.Remove("COLUMNS");
            variables.Remove("LINES");
        }

        if (TraceMark.Read(job.Request) is { } context)
        {
            variables["TRACEPARENT"] = context; // Tools that know of tracing join the trace by it.
        }

        foreach ((string name, string value) in request.Env ?? new Dictionary<string, string>())
        {
            variables[name] = value;
        }

        variables["HOLDFAST_EXECUTION"] = job.Execution.Id.Value;
        if (job.LockFence is { } fence)
        {
            // What it guards by its locks can refuse whoever comes with an older fence.
            variables["HOLDFAST_LOCK_FENCE"] = fence.ToString(CultureInfo.InvariantCulture);
        }

        return variables;
    }
}
