using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// The signature of Standard Webhooks 1.0: <c>v1,</c> and the base64 of HMAC-SHA256 over <c>id.timestamp.body</c>, the body as its raw
/// bytes; several secrets give several signatures with spaces between them, of which a receiver needs to know one.
/// </summary>
public static class WebhookSignature
{
    private const string Prefix = "whsec_";

    public static string Sign(IReadOnlyList<string> secrets, string id, long unixSeconds, ReadOnlySpan<byte> body)
    {
        byte[] head = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{unixSeconds}."));
        byte[] signed = [.. head, .. body];
        return string.Join(' ', secrets.Select(secret => "v1," + Convert.ToBase64String(HMACSHA256.HashData(KeyOf(secret)!, signed))));
    }

    /// <summary>The bytes of a secret, with or without its prefix; null when it is not one.</summary>
    public static byte[]? KeyOf(string? secret)
    {
        string text =
            secret is null ? ""
            : secret.StartsWith(Prefix, StringComparison.Ordinal) ? secret[Prefix.Length..]
            : secret;
        byte[] key = new byte[text.Length];
        return
            Convert.TryFromBase64String(text, key, out int length)
            && length is >= CallbackLimits.SecretBytesMin and <= CallbackLimits.SecretBytesMax
            ? key[..length]
            : null;
    }
}
