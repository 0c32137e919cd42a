using Holdfast.Engine.Store;

namespace Holdfast.Engine.Callbacks;

/// <summary>A callback with its attempts, oldest first.</summary>
public sealed record CallbackView(Callback Callback, IReadOnlyList<CallbackAttempt> Attempts);

/// <summary>Callbacks, newest first: all, of one execution or run, or in one state.</summary>
public sealed class ListCallbacks(StateStore store)
{
    public IReadOnlyList<CallbackView> Run(string? subject, CallbackState? state, int limit) =>
        store.Read(reader =>
            CallbacksTable
                .List(reader, subject, state, limit)
                .ConvertAll(callback => new CallbackView(callback, CallbackAttemptsTable.Of(reader, callback.Sequence)))
        );
}
