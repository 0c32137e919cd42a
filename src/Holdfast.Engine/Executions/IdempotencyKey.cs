using System.Security.Cryptography;

namespace Holdfast.Engine.Executions;

/// <summary>
/// A caller's own name for a request, so that asking again does nothing again, and the hash of what was asked for, by which another request
/// of that name is known.
/// </summary>
public sealed record IdempotencyKey(string Text, byte[] BodyHash)
{
    private const int LengthMax = 255;

    /// <summary>Refused: invalid-request.</summary>
    public static IdempotencyKey Of(string text, ReadOnlySpan<byte> body) =>
        text.Length is > 0 and <= LengthMax
            ? new IdempotencyKey(text, SHA256.HashData(body))
            : throw new RefusedException(ErrorCodes.InvalidRequest, $"Idempotency-Key must be 1 to {LengthMax} characters.");
}
