namespace Holdfast.Server.Jupyter.Channels;

/// <summary>
/// With which we close. Never 1000 or 1001: to Jupyter's clients they mean "do not come back". A close that the client began is answered
/// with its own code.
/// </summary>
internal static class CloseCode
{
    public const int ProtocolError = 1002;
    public const int UnsupportedData = 1003;
    public const int InvalidPayload = 1007;
    public const int PolicyViolation = 1008;
    public const int TooBig = 1009;
    public const int InternalError = 1011;
    public const int ServiceRestart = 1012;

    /// <summary>Another connection of the same session has taken this one's place.</summary>
    public const int Replaced = 4001;
}

/// <summary>The client sent what cannot be taken: the connection is closed with a code and a sentence, and only it.</summary>
internal sealed class CloseException(int code, string reason) : Exception(reason)
{
    public int Code { get; } = code;
}
