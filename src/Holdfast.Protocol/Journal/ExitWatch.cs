using System.Text.Json;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Protocol.Journal;

/// <summary>Notices the exit event, which is a journal's last record. A field of whoever reads every record in order.</summary>
internal struct ExitWatch
{
    private bool _isInExit;

    public bool HasExited { get; private set; }

    public void See(in JournalRecord record)
    {
        if (record.Channel != JournalChannel.Event)
        {
            return;
        }

        if ((record.Flags & JournalFlags.Continued) == 0)
        {
            _isInExit = IsExit(record.Payload.Span);
        }

        // A reason may be so long that the event is split; it has ended with its last piece.
        HasExited |= _isInExit && (record.Flags & JournalFlags.Continues) == 0;
    }

    /// <summary>Whether the payload, or its first piece, is a JSON object whose "event" is "exit".</summary>
    private static bool IsExit(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: false, state: default);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool isName = reader.ValueTextEquals("event"u8);
                if (!reader.Read())
                {
                    return false;
                }

                if (isName)
                {
                    return reader.TokenType == JsonTokenType.String && reader.ValueTextEquals(AttemptEvent.ExitEvent);
                }

                if (!reader.TrySkip())
                {
                    return false;
                }
            }
        }
        catch (JsonException)
        {
            // Not ours to judge: what the event is worth is said where it is applied.
        }

        return false;
    }
}
