namespace Holdfast.Engine.Jobs;

/// <summary>How long is waited after what mostly passes: a full disk, a full process table.</summary>
internal static class JobPauses
{
    public static readonly TimeSpan Store = TimeSpan.FromSeconds(1);

    /// <summary>A store that stays damaged is not asked more often than this, and its log not filled.</summary>
    private static readonly TimeSpan Most = TimeSpan.FromSeconds(8);

    public static TimeSpan Longer(TimeSpan pause) => pause < Most ? pause * 2 : pause;
}
