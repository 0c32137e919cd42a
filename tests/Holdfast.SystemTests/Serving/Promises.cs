using System.Text;

namespace Holdfast.SystemTests.Serving;

/// <summary>How often each promise was broken, and the sentences that say where.</summary>
internal sealed class Violations
{
    public List<string> Missing { get; } = [];
    public List<string> Duplicated { get; } = [];
    public List<string> WronglyLost { get; } = [];
    public List<string> WrongOutcome { get; } = [];
    public List<string> OutputMismatch { get; } = [];
    public List<string> Orphans { get; } = [];

    /// <summary>How much output was held against what was written, and how much of it differed or was not there.</summary>
    public long BytesCompared { get; private set; }

    public long BytesWrong { get; private set; }

    public IEnumerable<string> All => [.. Missing, .. Duplicated, .. WronglyLost, .. WrongOutcome, .. OutputMismatch, .. Orphans];

    public void Compare(ReadOnlySpan<byte> shown, ReadOnlySpan<byte> written, bool isWhole)
    {
        int same = shown.CommonPrefixLength(written);
        BytesCompared += shown.Length;
        BytesWrong += shown.Length - same + (isWhole ? written.Length - same : 0);
    }
}

/// <summary>
/// Holds what a server says of finished jobs against what the jobs say themselves:
/// 1. no acknowledged execution is missing, and its key still gives the same id; 2. each attempt started its job at most once, and no more
/// attempts did than were asked for; 3. the outcome is the job's own, or lost with a reason where that may be, and then never with an exit
/// code; 4. the output is the job's bytes, in order, the same from any offset; of a job that was cut short, their beginning.
/// </summary>
internal sealed class Promises(IStubbornCaller server, TruthFile truth)
{
    /// <summary>Whether this execution's supervisor was killed, so that its outcome may be unknown.</summary>
    public Func<AcknowledgedJob, bool> MayBeLost { get; init; } = static _ => false;

    /// <summary>Whether somebody asked for its end.</summary>
    public Func<AcknowledgedJob, bool> MayBeCancelled { get; init; } = static _ => false;

    /// <summary>How often it was asked to run again.</summary>
    public Func<AcknowledgedJob, int> Retries { get; init; } = static _ => 0;

    public async Task<Violations> CheckAsync(IReadOnlyCollection<AcknowledgedJob> jobs)
    {
        var violations = new Violations();
        ILookup<string, Truth> told = truth.Read().ToLookup(static t => t.Execution);
        foreach (AcknowledgedJob job in jobs)
        {
            RestReply reply = await server.PersistAsync(rest => rest.GetAsync($"/v1/executions/{job.Id}"));
            if (reply.Status != 200)
            {
                violations.Missing.Add($"{job.Job.Key} ({job.Id}) was acknowledged, and now: {reply.Text}");
                continue;
            }

            await CheckKeyAsync(job, violations);
            CheckStarts(job, reply.Execution, [.. told[job.Id]], violations);
            CheckOutcome(job, reply.Execution, [.. told[job.Id]], violations);
            await CheckOutputAsync(job, reply.Execution, violations);
        }

        return violations;
    }

    private async Task CheckKeyAsync(AcknowledgedJob job, Violations violations)
    {
        RestReply again = await server.PersistAsync(rest => rest.PostAsync("/v1/jobs", job.Job.Request, job.Job.Key));
        if (again.Status != 200 || again.Execution.Id != job.Id)
        {
            violations.Missing.Add($"The key {job.Job.Key} gave {job.Id}, and now {again.Status}: {again.Text}");
        }
    }

    private void CheckStarts(AcknowledgedJob job, ExecutionReply reply, List<Truth> told, Violations violations)
    {
        List<Truth> starts = told.FindAll(static t => t.Word == "start");
        if (starts.DistinctBy(static t => t.Attempt).Count() != starts.Count)
        {
            violations.Duplicated.Add($"{job.Job.Key} was started twice under one fence: {string.Join(", ", starts)}");
        }

        if (starts.Count > 1 + Retries(job))
        {
            violations.Duplicated.Add($"{job.Job.Key} ran {starts.Count} times, with {Retries(job)} retries asked for; it says {reply}");
        }
    }

    private void CheckOutcome(AcknowledgedJob job, ExecutionReply reply, List<Truth> told, Violations violations)
    {
        switch (reply.State)
        {
            case "lost" when !MayBeLost(job):
                violations.WronglyLost.Add($"{job.Job.Key} is lost although its supervisor was not killed: {reply}");
                break;
            case "lost" when reply.ExitCode is not null || string.IsNullOrEmpty(reply.Reason):
                violations.WrongOutcome.Add($"{job.Job.Key} is lost and still has an exit code, or no reason: {reply}");
                break;
            case "lost":
            case "cancelled" when MayBeCancelled(job):
                break;
            case var state when state != job.Job.ExpectedState || reply.ExitCode != job.Job.ExitCode:
                violations.WrongOutcome.Add($"{job.Job.Key} should have {job.Job.ExpectedState} with {job.Job.ExitCode}: {reply}");
                break;
            default:
                if (!told.Exists(static t => t.Word == "start") || !told.Exists(static t => t.Word == "end"))
                {
                    violations.WrongOutcome.Add(
                        $"{job.Job.Key} is said to have {reply.State}, but says itself only: {string.Join(", ", told)}"
                    );
                }

                break;
        }
    }

    private async Task CheckOutputAsync(AcknowledgedJob job, ExecutionReply reply, Violations violations)
    {
        bool isWhole = reply.State == job.Job.ExpectedState;
        byte[] stdout = await CheckStreamAsync(job, "stdout", job.Job.Stdout, isWhole, violations);
        byte[] stderr = await CheckStreamAsync(job, "stderr", job.Job.Stderr, isWhole, violations);
        RestReply all = await OutputAsync(job, "all", 0, null);
        if (all.Body.Length != stdout.Length + stderr.Length || (isWhole && reply.OutputBytes != all.Body.Length))
        {
            violations.OutputMismatch.Add(
                $"{job.Job.Key}: all output has {all.Body.Length} bytes, stdout {stdout.Length}, stderr {stderr.Length}: {reply}"
            );
        }
    }

    private async Task<byte[]> CheckStreamAsync(AcknowledgedJob job, string stream, string expected, bool isWhole, Violations violations)
    {
        RestReply whole = await OutputAsync(job, stream, 0, null);
        byte[] wrote = Encoding.UTF8.GetBytes(expected);
        violations.Compare(whole.Body, wrote, isWhole);
        if (
            whole.Status != 200
            || whole.Header("Holdfast-Complete") != "true"
            || !wrote.AsSpan().StartsWith(whole.Body)
            || (isWhole && whole.Body.Length != wrote.Length)
        )
        {
            violations.OutputMismatch.Add(
                $"{job.Job.Key}: {stream} has {whole.Body.Length} bytes of the {wrote.Length} it wrote, or others ({whole.Status}, complete {whole.Header("Holdfast-Complete")})"
            );
            return whole.Body;
        }

        // From the middle, which is rarely where a record begins.
        int middle = whole.Body.Length / 2;
        RestReply rest = await OutputAsync(job, stream, middle, null);
        if (!rest.Body.AsSpan().SequenceEqual(whole.Body.AsSpan(middle)) || rest.Number("Holdfast-Next-Offset") != whole.Body.Length)
        {
            violations.OutputMismatch.Add($"{job.Job.Key}: {stream} from {middle} on differs from what the whole has there");
        }

        return whole.Body;
    }

    private Task<RestReply> OutputAsync(AcknowledgedJob job, string stream, long offset, long? limit) =>
        server.PersistAsync(rest => rest.OutputAsync(job.Id, stream, offset, limit));
}
