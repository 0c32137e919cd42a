namespace Holdfast.Engine.Jobs;

/// <summary>The bounds on one job's request.</summary>
public static class JobLimits
{
    public const int ArgumentsMax = 4096;
    public const int NameLengthMax = 200;
    public const int LabelsMax = 64;
    public const int LabelLengthMax = 200;
    public const int IdempotencyKeyLengthMax = 255;

    /// <summary>Rows or columns of a terminal.</summary>
    public const int TerminalSizeMax = ushort.MaxValue;

    public const double TimeoutSecondsMax = 366 * 24 * 3600.0;

    /// <summary>Text given as standard input with the request; more goes through a file or POST .../stdin.</summary>
    public const int StdinCharactersMax = 1024 * 1024;
}
