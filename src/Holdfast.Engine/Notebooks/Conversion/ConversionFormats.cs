using Holdfast.Engine.Supervision;

namespace Holdfast.Engine.Notebooks.Conversion;

/// <summary>
/// What the installed <c>jupyter nbconvert</c> makes of notebooks; nothing where it is not installed. It is looked for at each question, as
/// it may come and go.
/// </summary>
public static class ConversionFormats
{
    private const string Program = "jupyter-nbconvert";
    private const string Typesetter = "xelatex";

    private static readonly Dictionary<string, string> Types = new()
    {
        ["asciidoc"] = "text/asciidoc",
        ["html"] = "text/html",
        ["latex"] = "text/latex",
        ["markdown"] = "text/markdown",
        ["notebook"] = "application/json",
        ["python"] = "text/x-python",
        ["rst"] = "text/restructuredtext",
        ["script"] = "text/plain",
        ["slides"] = "text/html",
        ["pdf"] = "application/pdf",
    };

    /// <summary>Formats with their media types, by name.</summary>
    public static IReadOnlyList<(string Name, string Type)> List()
    {
        if (Find(Program) is null)
        {
            return [];
        }

        bool canTypeset = Find(Typesetter) is not null;
        return
        [
            .. Types
                .Where(t => t.Key != "pdf" || canTypeset)
                .Select(static t => (t.Key, t.Value))
                .OrderBy(static t => t.Key, StringComparer.Ordinal),
        ];
    }

    /// <summary>The program and the media type. Refused: not-supported.</summary>
    internal static (string Program, string Type) Require(string format)
    {
        string program =
            Find(Program)
            ?? throw new RefusedException(
                ErrorCodes.NotSupported,
                "Notebooks cannot be converted here: jupyter nbconvert is not installed, or not in the server's PATH."
            );
        return List().Where(f => f.Name == format).Select(f => (program, f.Type)).FirstOrDefault() is { Type: not null } found
            ? found
            : throw new RefusedException(
                ErrorCodes.NotSupported,
                $"Notebooks cannot be converted to '{format}' here. GET /api/nbconvert lists the formats there are."
            );
    }

    private static string? Find(string program)
    {
        string path = ServerEnvironment.Inherited().GetValueOrDefault("PATH") ?? "";
        return path.Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Where(Path.IsPathRooted)
            .Select(folder => Path.Combine(folder, program))
            .FirstOrDefault(File.Exists);
    }
}
