using Holdfast.Engine;

namespace Holdfast.Server.Jupyter.Preferences;

/// <summary>Names of settings and workspaces in addresses, and their times as Lab reads them.</summary>
internal static class PreferenceName
{
    /// <summary>The routing unescapes everything but a slash, which such names have.</summary>
    public static string Of(HttpContext context, string key) =>
        ((string?)context.Request.RouteValues[key] ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    public static string? Time(DateTimeOffset? at) => at is { } known ? JupyterText.Time(UnixTime.ToMicroseconds(known)) : null;
}
