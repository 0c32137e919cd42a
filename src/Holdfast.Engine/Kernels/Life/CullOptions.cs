namespace Holdfast.Engine.Kernels.Life;

/// <summary>
/// When idle kernels are ended. Off unless a timeout is given, here or in a kernelspec's <c>metadata.cull_idle_timeout</c>, which goes
/// first.
/// </summary>
public sealed record CullOptions
{
    /// <summary>Idle for longer than this. Default none: kernels live until somebody ends them, as with Jupyter.</summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>
    /// The least time between two looks, so that many kernels which fall due one after another cost one. Default 1 second.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Also those that are busy and have said nothing for so long. Default no: long silent cells are normal.</summary>
    public bool IncludesBusy { get; init; }

    /// <summary>Also those that somebody is connected to. Default no.</summary>
    public bool IncludesConnected { get; init; }
}
