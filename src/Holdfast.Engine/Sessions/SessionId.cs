namespace Holdfast.Engine.Sessions;

/// <summary>Names a session. A UUID, because Jupyter's clients insist on one.</summary>
public readonly record struct SessionId(string Value)
{
    public static SessionId New() => new(Guid.CreateVersion7().ToString());

    public static SessionId Parse(string text) => Guid.TryParseExact(text, "D", out _) ? new SessionId(text) : throw NotFound(text);

    public static RefusedException NotFound(string text) => new(ErrorCodes.SessionNotFound, $"There is no session '{text}'.");

    public override string ToString() => Value;
}
