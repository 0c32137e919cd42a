using Holdfast.Engine.Access;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// What the gate found out about a request's caller, for the few routes that anybody may ask and those that ask who it is.
/// </summary>
internal sealed record Admission(Caller Caller, Bearer? Bearer)
{
    /// <summary>Whoever asks now, where the gate lets nobody else through.</summary>
    public static Bearer BearerOf(HttpContext context) => context.Features.Get<Admission>()!.Bearer!;
}
