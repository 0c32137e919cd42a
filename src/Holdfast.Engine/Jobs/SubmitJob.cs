using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Holdfast.Engine.Access;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Locks;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Engine.Tracing;

namespace Holdfast.Engine.Jobs;

/// <summary>What a submit came to: the execution, and whether it was there already under the same idempotency key.</summary>
public sealed record SubmittedJob(Execution Execution, bool IsRepeat);

/// <summary>
/// Accepts a job. The id is returned only after its row is committed with a real sync. The same idempotency key and request again give the
/// same execution; the same key with another request is refused.
/// Errors: invalid-request, working-directory-not-found, callback-url-invalid, callback-address-not-allowed, idempotency-conflict,
/// disk-full, not-supported.
/// </summary>
public sealed class SubmitJob(StateStore store, ExecutionLedger ledger, CallbackCheck callbacks, EngineMeters meters, TimeProvider time)
{
    /// <summary>Asked when work is new: a repeat of what was acknowledged is answered however little space there is.</summary>
    internal SpaceGuard? Space { get; init; }

    public async Task<SubmittedJob> RunAsync(JobRequest request, string? idempotencyKey, CancellationToken cancellationToken)
    {
        long start = time.GetTimestamp();
        JobRequestCheck.ThrowIfInvalid(request, idempotencyKey);
        IReadOnlyList<string> locks = LockNames.Check(request.Locks);
        CallbackOrder? callback = callbacks.Check(request.Callback, request.Cwd);
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(request, JobJson.Default.JobRequest);
        byte[]? hash = idempotencyKey is null ? null : SHA256.HashData(body);

        // The callback has a row of its own, which alone has its secret.
        string text = TraceMark.Mark(
            callback is null
                ? Encoding.UTF8.GetString(body)
                : JsonSerializer.Serialize(request with { Callback = null }, JobJson.Default.JobRequest)
        );
        var draft = new Execution
        {
            Sequence = 0,
            CreatedAt = 0,
            Id = new ExecutionId(Ulid.New(time)),
            Kind = ExecutionKind.Job,
            State = ExecutionState.Queued,
            Queue = "default",
            Name = request.Name,
            Labels = request.Labels ?? new Dictionary<string, string>(),
        };

        SubmittedJob submitted = await store.WriteAsync(
            transaction =>
            {
                if (idempotencyKey is not null)
                {
                    if (IdempotencyTable.Find(transaction, idempotencyKey) is { } earlier)
                    {
                        return earlier.BodyHash.AsSpan().SequenceEqual(hash)
                            ? new SubmittedJob(
                                ExecutionsTable.Find(transaction, earlier.Id) ?? throw ExecutionId.NotFound(earlier.Id.Value),
                                true
                            )
                            : throw new RefusedException(
                                ErrorCodes.IdempotencyConflict,
                                $"The Idempotency-Key '{idempotencyKey}' was used for another request (execution {earlier.Id}). Use a new key for new work."
                            );
                    }

                    IdempotencyTable.Insert(transaction, idempotencyKey, hash!, draft.Id, time.NowMicroseconds());
                }

                Space?.ThrowIfFull();
                AuditTable.Record(transaction, time.NowMicroseconds(), nameof(SubmitJob), draft.Id.Value, request.Name);
                return new SubmittedJob(ledger.Add(transaction, draft, text, locks, callback), false);
            },
            cancellationToken
        );
        meters.Acknowledged("job", time.GetElapsedTime(start));
        return submitted;
    }
}
