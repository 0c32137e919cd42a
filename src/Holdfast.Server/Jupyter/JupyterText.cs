using System.Text.Json;
using Holdfast.Engine;

namespace Holdfast.Server.Jupyter;

/// <summary>
/// How this door writes: plain UTF-8 JSON, and instants as Jupyter's clients parse them, always with six digits and a literal Z.
/// </summary>
internal static class JupyterText
{
    public static readonly JsonWriterOptions Options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static string Time(long microseconds) => UnixTime.Text(microseconds);
}
