namespace Holdfast.Engine.Callbacks;

/// <summary>The bounds on callbacks.</summary>
public static class CallbackLimits
{
    public const int UrlLengthMax = 2048;
    public const int ArgumentsMax = 256;
    public const int SecretsMax = 5;

    /// <summary>What Standard Webhooks asks of a secret: long enough not to be guessed, short enough to be no burden.</summary>
    public const int SecretBytesMin = 24;
    public const int SecretBytesMax = 64;

    public const int ScheduleEntriesMax = 100;
    public const double DelaySecondsMax = 7 * 24 * 3600.0;

    /// <summary>A receiver may ask to be left alone for so long, and no longer.</summary>
    public static readonly TimeSpan RetryAfterMax = TimeSpan.FromHours(24);

    /// <summary>From the connection to the status of the answer, or of a command from its start to its end.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(30);

    /// <summary>What is kept of an answer, for people.</summary>
    public const int AnswerBytesMax = 1024;

    /// <summary>How many attempts of one callback are kept; one that is redriven again and again forgets its oldest.</summary>
    public const int AttemptsKept = 50;

    /// <summary>
    /// Under way at once: in all, to one host, to one receiver. One that has not shown that it answers gets a few, and one that failed gets
    /// one.
    /// </summary>
    public const int InFlightMax = 256;
    public const int InFlightPerHostMax = 64;
    public const int InFlightPerLaneMax = 32;
    public const int InFlightCommandsMax = 8;
    public const int InFlightPerNewLane = 4;

    /// <summary>Due callbacks of one receiver that are held in memory; the rest stay in the store.</summary>
    public const int PageSize = 64;

    public const int ListMax = 1000;

    /// <summary>Sent again in one transaction: few enough that nobody waits behind it.</summary>
    public const int RedrivePageMax = 500;
}
