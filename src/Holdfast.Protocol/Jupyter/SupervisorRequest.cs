using System.Globalization;

namespace Holdfast.Protocol.Jupyter;

/// <summary>The ids of a supervisor's own requests to its kernel, by which they are told from cells.</summary>
public static class SupervisorRequest
{
    private const string Mark = "_supervisor_";

    public static string Id(string session, int count) => string.Create(CultureInfo.InvariantCulture, $"{session}{Mark}{count}");

    public static bool Is(string messageId) => messageId.Contains(Mark, StringComparison.Ordinal);
}
