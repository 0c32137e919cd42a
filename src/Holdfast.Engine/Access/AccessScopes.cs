namespace Holdfast.Engine.Access;

/// <summary>What a token lets its holder do. None of them contains another.</summary>
[Flags]
public enum AccessScopes
{
    None = 0,

    /// <summary>See: executions, output, kernels, files.</summary>
    Read = 1,

    /// <summary>Do: run, cancel, type, write files.</summary>
    Run = 2,

    /// <summary>Decide over others: tokens, the audit trail, release of locks, what recovery left to people.</summary>
    Manage = 4,

    All = Read | Run | Manage,
}

/// <summary>The scopes' names, as everybody outside knows them.</summary>
public static class AccessScopeNames
{
    private static readonly (AccessScopes Scope, string Name)[] Names =
    [
        (AccessScopes.Read, "read"),
        (AccessScopes.Run, "run"),
        (AccessScopes.Manage, "manage"),
    ];

    public static IReadOnlyList<string> List(this AccessScopes scopes) =>
        [.. Names.Where(n => scopes.HasFlag(n.Scope)).Select(static n => n.Name)];

    /// <summary>Refused: invalid-request, for an unknown one and for none.</summary>
    public static AccessScopes Parse(IEnumerable<string>? names)
    {
        AccessScopes scopes = AccessScopes.None;
        foreach (string name in names ?? [])
        {
            AccessScopes known = Names.Where(n => n.Name == name).Select(static n => n.Scope).FirstOrDefault();
            scopes |=
                known != AccessScopes.None
                    ? known
                    : throw new RefusedException(ErrorCodes.InvalidRequest, $"There is no scope '{name}'; there are read, run and manage.");
        }

        return scopes != AccessScopes.None
            ? scopes
            : throw new RefusedException(ErrorCodes.InvalidRequest, "scopes must name one or more of read, run and manage.");
    }
}
