using System.Text;
using Holdfast.Protocol.Journal;

namespace Holdfast.Engine.Kernels;

/// <summary>The end of what a dead kernel wrote to its standard error, for the message that tells of its death.</summary>
internal static class KernelLastWords
{
    private const int BytesMax = 4096;

    public static string Read(string journalDirectory)
    {
        try
        {
            using JournalReader reader = JournalReader.Open(journalDirectory, 0);
            var tail = new StringBuilder();
            while (reader.TryRead(out JournalRecord record))
            {
                if (record.Channel == JournalChannel.Stderr)
                {
                    tail.Append(Encoding.UTF8.GetString(record.Payload.Span));
                    if (tail.Length > 2 * BytesMax)
                    {
                        tail.Remove(0, tail.Length - BytesMax);
                    }
                }
            }

            string text = tail.ToString().Trim();
            return text.Length == 0 ? "" : $" It wrote to its standard error:\n{(text.Length > BytesMax ? text[^BytesMax..] : text)}";
        }
        catch (Exception e) when (e is IOException or JournalDamagedException)
        {
            return "";
        }
    }
}
