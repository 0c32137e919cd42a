using System.Security.Cryptography;
using System.Text;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>By which two sources are known to be the same: SHA-256 of the text as UTF-8, in lower-case hexadecimal digits.</summary>
internal static class SourceHash
{
    public static string Of(string source) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(source)));
}
