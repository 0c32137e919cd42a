using System.Text.Json;

namespace Holdfast.Engine.Locks;

/// <summary>Which locks a request asks for: checked when it comes, read again from where it is kept when the job is retried.</summary>
internal static class LockNames
{
    /// <summary>Each name once; refused when one cannot be a lock's name.</summary>
    public static IReadOnlyList<string> Check(IReadOnlyList<string>? asked)
    {
        if (asked is null or { Count: 0 })
        {
            return [];
        }

        if (asked.Count > LockLimits.LocksMax)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"locks has {asked.Count} names; at most {LockLimits.LocksMax} are allowed."
            );
        }

        foreach (string name in asked)
        {
            Check(name);
        }

        return [.. asked.Distinct(StringComparer.Ordinal)];
    }

    public static void Check(string? name)
    {
        if (name is null or { Length: 0 or > LockLimits.NameLengthMax })
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"The name of a lock has 1 to {LockLimits.NameLengthMax} characters, of any kind."
            );
        }
    }

    public static IReadOnlyList<string> Of(string request)
    {
        using JsonDocument document = JsonDocument.Parse(request);
        return document.RootElement.TryGetProperty("locks", out JsonElement names) && names.ValueKind == JsonValueKind.Array
            ? [.. names.EnumerateArray().Select(static n => n.GetString()!).Distinct(StringComparer.Ordinal)]
            : [];
    }
}
