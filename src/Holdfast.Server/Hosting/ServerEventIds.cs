namespace Holdfast.Server.Hosting;

/// <summary>Log event ids of the server's doors: from 2000.</summary>
internal static class ServerEventIds
{
    public const int Unexpected = 2000;
}
