using System.Globalization;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Supervision;

/// <summary>
/// The exit record as the journal has it, for an attempt without exit.json: a supervisor that was killed between the two has said durably
/// how its work ended.
/// </summary>
internal static class JournalledExit
{
    /// <summary>Null when the journal does not end in an exit record, or cannot be read so far.</summary>
    public static ExitRecord? Read(string journal)
    {
        if (!Directory.Exists(journal))
        {
            return null;
        }

        // The exit is a journal's last record: only the last segment, named by its position, has to be read.
        string? last = Directory.EnumerateFiles(journal, "*.hfj").Select(Path.GetFileNameWithoutExtension).Max(StringComparer.Ordinal);
        if (!long.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out long position))
        {
            return null;
        }

        try
        {
            using JournalReader reader = JournalReader.Open(journal, position);
            ExitRecord? exit = null;
            while (reader.TryRead(out JournalRecord record))
            {
                if (record is { Channel: JournalChannel.Event, Flags: JournalFlags.None })
                {
                    exit = AttemptEvent.Read(record.Payload.Span).Exit;
                }
            }

            return exit;
        }
        catch (Exception e) when (e is IOException or AttemptFormatException or JournalDamagedException or JournalVersionException)
        {
            return null;
        }
    }
}
