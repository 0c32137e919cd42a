namespace Holdfast.Engine;

/// <summary>What somebody does, to what, and what else the record is to say of it.</summary>
public sealed record Deed(string Operation, string Subject, string? Reason);

/// <summary>
/// On whose behalf something is done: the token by its name, never by itself. Goes with the flow of a request, so that the record of who
/// did what can be stored in the transaction of the deed, wherever that is. None: the server itself.
/// </summary>
public sealed class Actor(string tokenId, string tokenName, string remote)
{
    private static readonly AsyncLocal<Actor?> Ambient = new();
    private volatile bool _isRecorded;
    private volatile Deed? _deed;

    /// <summary>Set by a door at the beginning of a request.</summary>
    public static Actor? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    public string TokenId { get; } = tokenId;

    public string TokenName { get; } = tokenName;

    /// <summary>The address that the request came from.</summary>
    public string Remote { get; } = remote;

    /// <summary>True when an operation has recorded what this one did, or it did nothing; then its door does not have to.</summary>
    public bool IsRecorded
    {
        get => _isRecorded;
        set => _isRecorded = value;
    }

    /// <summary>
    /// What its door is to record when it is done and no transaction of the store has done so. Null: no operation has said.
    /// </summary>
    public Deed? Deed => _deed;

    /// <summary>
    /// Said by each operation that changes something and has no transaction for the record: what it is, to what, and what else is worth
    /// knowing of it. The first to say so counts, for it calls the others.
    /// </summary>
    /// <param name="operation">Null when the caller is only shown what would be done.</param>
    public static void Does(string? operation, string subject, string? reason = null)
    {
        if (Current is not { _deed: null } actor)
        {
            return;
        }

        if (operation is null)
        {
            actor._isRecorded = true;
            return;
        }

        actor._deed = new Deed(operation, subject, reason);
    }
}
