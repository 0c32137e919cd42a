namespace Holdfast.Engine.Store;

/// <summary>
/// What a change works with: the one writing connection, inside the transaction of the current batch. It sees the changes before it
/// in the same batch, which are committed with it or not at all. Not to be kept beyond the change.
/// </summary>
public sealed class StoreTransaction : StoreReader
{
    private readonly List<Action> _effects = [];

    internal StoreTransaction(StoreConnection connection)
        : base(connection) { }

    /// <summary>On whose behalf the change is made; null for the server's own.</summary>
    public Actor? Actor { get; internal set; }

    internal int EffectCount => _effects.Count;

    /// <summary>
    /// Has <paramref name="effect"/> run after the COMMIT, in the order of registration across all changes, one at a time, away from the
    /// writer thread; never when the change is rolled back. It must be short and must not wait for a write: it holds up the effects behind
    /// it. A crash between COMMIT and effect loses the effect: what must happen has to be found again from the committed rows.
    /// </summary>
    public void OnCommitted(Action effect) => _effects.Add(effect);

    /// <summary>Forgets the effects of a change that was rolled back.</summary>
    internal void KeepEffects(int count) => _effects.RemoveRange(count, _effects.Count - count);

    internal Action[] TakeEffects()
    {
        Action[] effects = [.. _effects];
        _effects.Clear();
        return effects;
    }
}
