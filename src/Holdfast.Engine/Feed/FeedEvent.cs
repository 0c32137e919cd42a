namespace Holdfast.Engine.Feed;

/// <summary>
/// One change of state, as committed with it. Positions only grow; a follower that keeps the last one it saw misses nothing.
/// Kind is dotted (<c>execution.running</c>), subject is the id it is about, body one JSON object.
/// </summary>
public sealed record FeedEvent(long Position, long AtMicroseconds, string Kind, string Subject, string Body);
