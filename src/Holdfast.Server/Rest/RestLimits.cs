namespace Holdfast.Server.Rest;

/// <summary>The bounds of the REST door.</summary>
internal static class RestLimits
{
    /// <summary>A request's body. Larger inputs belong into files.</summary>
    public const long BodyBytesMax = 8 * 1024 * 1024;

    /// <summary>GET .../wait holds a request this long at most; ask again for longer.</summary>
    public const int WaitSecondsMax = 3600;

    public const int WaitSecondsDefault = 30;

    /// <summary>A comment is sent on a silent event stream this often, so that proxies and clients know it lives.</summary>
    public static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(15);
}
