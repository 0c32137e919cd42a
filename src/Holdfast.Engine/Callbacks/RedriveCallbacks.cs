using System.Globalization;
using Holdfast.Engine.Access;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Callbacks;

/// <summary>Which callbacks are to be sent again: those in one state, from after one on, or only a look at them.</summary>
public sealed record RedriveRequest(CallbackState State, CallbackId? After, bool IsDryRun);

/// <summary>Those that were redriven, or would be, oldest first; and whether there are more behind the last of them.</summary>
public sealed record RedrivePage(bool IsDryRun, IReadOnlyList<CallbackId> Callbacks, bool HasMore);

/// <summary>
/// Sends all callbacks again that were given up, oldest first and one page per call. The next page is asked for by the last id of this one,
/// so that each is taken up once however soon it is given up again, and a call that is repeated finds them on their way and leaves them.
/// Errors: callback-not-found, invalid-request.
/// </summary>
public sealed class RedriveCallbacks(StateStore store, CallbackLedger ledger, TimeProvider time)
{
    public async Task<RedrivePage> RunAsync(RedriveRequest request, CancellationToken cancellationToken)
    {
        if (request.State is not (CallbackState.Parked or CallbackState.Disabled))
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"Callbacks that are {request.State.Name()} are not redriven together, only what is parked or disabled; name the one that you mean."
            );
        }

        if (request.IsDryRun)
        {
            Actor.Does(null, "callbacks");
            return store.Read(reader => Page(request, Find(reader, request)));
        }

        return await store.WriteAsync(
            transaction =>
            {
                RedrivePage page = Page(request, Find(transaction, request));
                foreach (CallbackId id in page.Callbacks)
                {
                    ledger.Redrive(transaction, id);
                }

                AuditTable.Record(
                    transaction,
                    time.NowMicroseconds(),
                    nameof(RedriveCallbacks),
                    request.State.Name(),
                    string.Create(CultureInfo.InvariantCulture, $"{page.Callbacks.Count} callbacks")
                );
                return page;
            },
            cancellationToken
        );
    }

    /// <summary>One more than a page has, to know whether there are more.</summary>
    private static List<CallbackId> Find(StoreReader reader, RedriveRequest request)
    {
        long after = request.After is { } id ? (CallbacksTable.Find(reader, id) ?? throw CallbackId.NotFound(id.Value)).Sequence : 0;
        return CallbacksTable.GivenUp(reader, request.State, after, CallbackLimits.RedrivePageMax + 1);
    }

    private static RedrivePage Page(RedriveRequest request, List<CallbackId> found) =>
        new(request.IsDryRun, [.. found.Take(CallbackLimits.RedrivePageMax)], found.Count > CallbackLimits.RedrivePageMax);
}
