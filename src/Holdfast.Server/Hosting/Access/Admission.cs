namespace Holdfast.Server.Hosting.Access;

/// <summary>What the gate found out about a request's caller, for the few routes that anybody may ask.</summary>
internal sealed record Admission(Caller Caller);
