namespace Holdfast.Engine.Assets;

/// <summary>The SHA-256 of an asset's bytes, which is its name: 64 hexadecimal digits in lower case.</summary>
public readonly record struct AssetHash(string Value)
{
    public const int Length = 64;

    private static readonly System.Buffers.SearchValues<char> Digits = System.Buffers.SearchValues.Create("0123456789abcdef");

    /// <summary>Refused: invalid-request. Digits in upper case are taken as well.</summary>
    public static AssetHash Parse(string text)
    {
        string lower = text.ToLowerInvariant();
        return IsWellFormed(lower)
            ? new AssetHash(lower)
            : throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"'{(text.Length > Length ? text[..Length] + "…" : text)}' is not the name of an asset, which is its SHA-256: {Length} hexadecimal digits."
            );
    }

    public static bool IsWellFormed(string text) => text.Length == Length && !text.AsSpan().ContainsAnyExcept(Digits);

    public override string ToString() => Value;
}
