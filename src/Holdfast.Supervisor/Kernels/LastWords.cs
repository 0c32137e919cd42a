using System.Text;
using Holdfast.Protocol.Journal;

namespace Holdfast.Supervisor.Kernels;

/// <summary>The end of what a kernel wrote to standard error, for the reason why it never became ready. The journal has the whole of
/// it.</summary>
internal static class LastWords
{
    private const int BytesMax = 600;

    public static string? Of(string journalDirectory)
    {
        byte[] tail = [];
        using (JournalReader reader = JournalReader.Open(journalDirectory))
        {
            while (reader.TryRead(out JournalRecord record))
            {
                if (record.Channel == JournalChannel.Stderr)
                {
                    byte[] joined = [.. tail, .. record.Payload.Span];
                    tail = joined.Length > BytesMax ? joined[^BytesMax..] : joined;
                }
            }
        }

        string text = Encoding.UTF8.GetString(tail).Trim();
        return text.Length == 0 ? null : text;
    }
}
