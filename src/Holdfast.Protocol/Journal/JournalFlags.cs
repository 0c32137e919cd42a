namespace Holdfast.Protocol.Journal;

/// <summary>How a record belongs to its neighbours on the same channel. A payload past the cap is split over several records.</summary>
[Flags]
public enum JournalFlags : byte
{
    None = 0,

    /// <summary>The payload goes on in the next record of the same channel.</summary>
    Continues = 1,

    /// <summary>
    /// The payload began in an earlier record of the same channel. A record without this mark after one that continues
    /// says that the rest of the earlier payload was never written: its writer died between two pieces.
    /// </summary>
    Continued = 2,
}
