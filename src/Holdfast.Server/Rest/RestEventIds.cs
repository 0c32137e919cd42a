namespace Holdfast.Server.Rest;

/// <summary>Log event ids of the REST door: from 2000.</summary>
internal static class RestEventIds
{
    public const int Unexpected = 2000;
}
