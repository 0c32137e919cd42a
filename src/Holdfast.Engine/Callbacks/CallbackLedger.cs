using System.Security.Cryptography;
using System.Text.Json;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// The only writer of callbacks. What is to be told is stored in the transaction that makes it true (<see cref="Tell"/>), each attempt
/// before anything is sent (<see cref="Begin"/>), and what became of it after (<see cref="End"/>): so every outcome is told at least once,
/// and always under the same id.
/// </summary>
public sealed class CallbackLedger(FeedLog feed, string host, TimeProvider time)
{
    /// <summary>Somebody wants to be told the end of this.</summary>
    public void Ask(StoreTransaction transaction, CallbackSubject kind, string subject, CallbackOrder order) =>
        CallbacksTable.Insert(transaction, new CallbackId(Ulid.New(time)), kind, subject, order, host, time.NowMicroseconds());

    /// <summary>
    /// It begins again: whoever was to be told of the last end is to be told of the next, unless the receiver has said that it wants to
    /// hear no more.
    /// </summary>
    public void AskAgain(StoreTransaction transaction, string subject)
    {
        if (CallbacksTable.Latest(transaction, subject) is { Status.State: not (CallbackState.Waiting or CallbackState.Disabled) } last)
        {
            Ask(transaction, last.Kind, subject, last.Order);
        }
    }

    /// <summary>This is how it ended. Nothing happens when nobody wanted to know.</summary>
    public bool Tell(StoreTransaction transaction, string subject, string type, Action<Utf8JsonWriter> writeData)
    {
        long now = time.NowMicroseconds();
        if (
            CallbacksTable.FindWaiting(transaction, subject) is not { } waiting
            || CallbackTransitions.Tell(waiting.Status, now) is not { } status
        )
        {
            return false;
        }

        Save(transaction, waiting with { Status = status, Type = type, Body = CallbackBody.Write(type, now, writeData) });
        return true;
    }

    /// <summary>
    /// Takes one up: the attempt is a row before anything is sent. Null when it is not due, or not any more, or not before another.
    /// </summary>
    public Callback? Begin(StoreTransaction transaction, long sequence)
    {
        long now = time.NowMicroseconds();
        if (
            CallbacksTable.Find(transaction, sequence) is not { } pending
            || CallbackTransitions.Begin(pending.Status, now) is not { } status
            || CallbacksTable.HasEarlier(transaction, pending)
        )
        {
            return null;
        }

        Callback begun = pending with { Status = status, Attempts = pending.Attempts + 1 };
        CallbacksTable.Update(transaction, begun); // No event: who follows the feed wants to know what came of it.
        CallbackAttemptsTable.Begin(transaction, sequence, begun.Attempts, now);
        return begun;
    }

    /// <summary>An attempt is over. Null when that is known already.</summary>
    public Callback? End(StoreTransaction transaction, Callback begun, CallbackAnswer answer)
    {
        long now = time.NowMicroseconds();
        if (
            CallbacksTable.Find(transaction, begun.Sequence) is not { } sending
            || sending.Attempts != begun.Attempts
            || CallbackTransitions.End(sending.Status, answer.Verdict, answer.RetryAfter, sending.Order.Schedule, Fraction(), now)
                is not { } status
        )
        {
            return null;
        }

        CallbackAttemptsTable.End(transaction, sending.Sequence, sending.Attempts, now, answer.Status, answer.Error, answer.Head);
        return Save(
            transaction,
            sending with
            {
                Status = status,
                Reason = answer.Error,
                SettledAt = status.State.IsSettled() ? now : null,
            }
        );
    }

    /// <summary>The attempt was cut off by the end of a server.</summary>
    public Callback? Interrupt(StoreTransaction transaction, Callback begun)
    {
        long now = time.NowMicroseconds();
        if (
            CallbacksTable.Find(transaction, begun.Sequence) is not { } sending
            || sending.Attempts != begun.Attempts
            || CallbackTransitions.Interrupt(sending.Status, now) is not { } status
        )
        {
            return null;
        }

        const string reason =
            "The server ended while this attempt was under way; whether it arrived is not known. It was sent again under the same id.";
        CallbackAttemptsTable.End(transaction, sending.Sequence, sending.Attempts, now, null, reason, null);
        return Save(transaction, sending with { Status = status, Reason = reason });
    }

    /// <summary>A person wants it sent now. Refused: callback-not-found, illegal-transition.</summary>
    public Callback Redrive(StoreTransaction transaction, CallbackId id)
    {
        Callback callback = CallbacksTable.Find(transaction, id) ?? throw CallbackId.NotFound(id.Value);
        long now = time.NowMicroseconds();
        return CallbackTransitions.Redrive(callback.Status, now) is { } status
            ? Save(
                transaction,
                callback with
                {
                    Status = status,
                    SettledAt = null,
                    Redrives = callback.Redrives + 1,
                    RedrivenAt = now,
                    RedrivenBy = transaction.Actor?.TokenName,
                }
            )
            : throw new RefusedException(
                ErrorCodes.IllegalTransition,
                callback.Status.State == CallbackState.Waiting
                    ? $"Callback {id} waits for the end of {callback.SubjectId}: there is nothing to tell yet."
                    : $"An attempt of callback {id} is under way now. Wait for what comes of it."
            );
    }

    /// <summary>What a start finds: attempts that were cut off. How many.</summary>
    public int Repair(StoreTransaction transaction)
    {
        List<Callback> sending = CallbacksTable.Sending(transaction);
        foreach (Callback one in sending)
        {
            Interrupt(transaction, one);
        }

        return sending.Count;
    }

    private Callback Save(StoreTransaction transaction, Callback callback)
    {
        CallbacksTable.Update(transaction, callback);
        feed.Append(
            transaction,
            "callback." + callback.Status.State.Name(),
            callback.Id.Value,
            writer =>
            {
                writer.WriteString("id", callback.Id.Value);
                writer.WriteString(callback.Kind == CallbackSubject.Run ? "runId" : "executionId", callback.SubjectId);
                writer.WriteString("to", callback.Order.Lane);
                writer.WriteNumber("attempts", callback.Attempts);
                if (callback.Reason is { } reason)
                {
                    writer.WriteString("reason", reason);
                }

                if (callback.RedrivenAt is { } redriven)
                {
                    writer.WriteString("redrivenAt", UnixTime.Text(redriven));
                }

                if (callback.Status.State == CallbackState.Pending)
                {
                    writer.WriteString("dueAt", UnixTime.Text(callback.Status.DueAt));
                }
            }
        );
        return callback;
    }

    private static double Fraction() => RandomNumberGenerator.GetInt32(int.MaxValue) / (double)int.MaxValue;
}
