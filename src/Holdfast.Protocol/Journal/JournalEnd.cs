namespace Holdfast.Protocol.Journal;

/// <summary>Why a reader has nothing whole to give at its position. Only the first two can change by the journal's growth.</summary>
public enum JournalEnd
{
    /// <summary>The last record is read; more may come.</summary>
    Clean,

    /// <summary>Bytes that are no whole record end the last segment: being written just now, or torn by a death of the writer.</summary>
    Torn,

    /// <summary>Bytes that are no record, or missing bytes, in a segment that has a successor: no writer can have left them so.</summary>
    Damaged,

    /// <summary>The position lies past the end: a power failure took records that were never synced, and the position with them.</summary>
    Beyond,
}
