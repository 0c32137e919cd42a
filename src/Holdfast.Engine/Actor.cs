namespace Holdfast.Engine;

/// <summary>
/// On whose behalf something is done: the token by its name, never by itself. Goes with the flow of a request, so that the record of who did what can be stored in the
/// transaction of the deed, wherever that is. None: the server itself.
/// </summary>
public sealed class Actor(string tokenId, string tokenName, string remote)
{
    private static readonly AsyncLocal<Actor?> Ambient = new();
    private volatile bool _isRecorded;

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

    /// <summary>True when an operation has recorded what this one did; then its door does not have to.</summary>
    public bool IsRecorded
    {
        get => _isRecorded;
        set => _isRecorded = value;
    }
}
