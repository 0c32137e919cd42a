using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>Every token but the data directory's own, newest first; those that ended are kept for a while.</summary>
public sealed class ListTokens(StateStore store)
{
    public IReadOnlyList<ApiToken> Run() => store.Read(TokensTable.All);
}
