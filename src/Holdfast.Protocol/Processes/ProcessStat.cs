namespace Holdfast.Protocol.Processes;

/// <summary>What proc(5) says of a process: its state letter (R, S, D, T, t, Z, X), when it started, its parent and its session.</summary>
public sealed record ProcessStat(char State, long StartTicks, int ParentPid, int SessionId)
{
    private const int ParentField = 1;
    private const int SessionField = 3;
    private const int StartField = 19;

    /// <summary>Null when there is no such process.</summary>
    public static ProcessStat? Of(int pid) =>
        RawFile.Read("/proc/" + pid.ToString(System.Globalization.CultureInfo.InvariantCulture) + "/stat") is { } text ? Parse(text) : null;

    internal static ProcessStat? Parse(ReadOnlySpan<byte> text)
    {
        // The command name stands in parentheses and may itself contain both spaces and parentheses.
        int end = text.LastIndexOf((byte)')');
        if (end < 0 || end + 2 >= text.Length)
        {
            return null;
        }

        ReadOnlySpan<byte> fields = text[(end + 2)..];
        return new ProcessStat(
            (char)fields[0],
            Number(fields, StartField),
            (int)Number(fields, ParentField),
            (int)Number(fields, SessionField)
        );
    }

    private static long Number(ReadOnlySpan<byte> fields, int field)
    {
        int i = 0;
        for (; field > 0 && i < fields.Length; i++)
        {
            field -= fields[i] == ' ' ? 1 : 0;
        }

        long number = 0;
        bool isNegative = i < fields.Length && fields[i] == '-';
        for (i += isNegative ? 1 : 0; i < fields.Length && fields[i] is >= (byte)'0' and <= (byte)'9'; i++)
        {
            number = (number * 10) + fields[i] - '0';
        }

        return isNegative ? -number : number;
    }
}
