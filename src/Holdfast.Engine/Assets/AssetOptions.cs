namespace Holdfast.Engine.Assets;

/// <summary>What becomes an asset, how long assets are kept, and how much of them.</summary>
public sealed record AssetOptions
{
    /// <summary>
    /// An output's value that is longer than so many bytes as JSON is kept as an asset, and a short text stands for it in the notebook.
    /// Default: 16 MiB, beyond which notebooks no longer open well; most people never come near it, and find whole outputs in their files.
    /// Zero: never.
    /// </summary>
    public long InlineBytesMax { get; init; } = 16 << 20;

    /// <summary>
    /// How long an asset is kept after its creation, a save or an opening of what it stands in, or a client's wish. Default: 24 hours.
    /// </summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromHours(24);

    /// <summary>
    /// Bytes of all assets beyond which uploads and notebook runs are refused. Default: zero, no limit but the disk's, whose last is kept
    /// free anyway.
    /// </summary>
    public long QuotaBytes { get; init; }

    /// <summary>
    /// From being found expired and unreferenced to being deleted, by a clock that cannot jump. Default: 1 hour, in which a renewal or a
    /// reference rescues it.
    /// </summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// How long a notebook that is gone from its path still counts as referring: it may have been moved by other means. Default: 30 days.
    /// </summary>
    public TimeSpan MissingNotebookGrace { get; init; } = TimeSpan.FromDays(30);

    /// <summary>From one look for what may go to the next. Default: 1 hour.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// A lease that was renewed less than a minute ago is not worth another commit: a page asks for all of its assets at once.
    /// </summary>
    internal bool IsJustRenewed(long leaseUntil, long now)
    {
        long lease = Lease.Ticks / TimeSpan.TicksPerMicrosecond;
        return leaseUntil >= now + lease - Math.Min(lease / 2, 60_000_000);
    }

    /// <summary>The longest lease that can be asked for. A year: what is needed for longer is to be pinned.</summary>
    public static readonly TimeSpan LeaseMax = TimeSpan.FromDays(366);
}
