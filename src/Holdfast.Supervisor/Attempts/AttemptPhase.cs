namespace Holdfast.Supervisor.Attempts;

/// <summary>Where an attempt stands.</summary>
internal enum AttemptPhase
{
    Starting,
    Running,

    /// <summary>The child has ended; its pipes are read to their end.</summary>
    Draining,

    /// <summary>The exit record is on its way to the disk.</summary>
    Ending,

    /// <summary>The exit record is durable and told.</summary>
    Ended,
}
