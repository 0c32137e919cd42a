using System.Collections.Frozen;

namespace Holdfast.Engine.Contents;

/// <summary>What a file is, by its name's ending, as Python's mimetypes says it: clients choose viewers by it.</summary>
public static class MimeTypes
{
    private static readonly FrozenDictionary<string, string> Types = new Dictionary<string, string>
    {
        [".txt"] = "text/plain",
        [".md"] = "text/markdown",
        [".markdown"] = "text/markdown",
        [".py"] = "text/x-python",
        [".csv"] = "text/csv",
        [".tsv"] = "text/tab-separated-values",
        [".json"] = "application/json",
        [".geojson"] = "application/geo+json",
        [".html"] = "text/html",
        [".htm"] = "text/html",
        [".js"] = "text/javascript",
        [".mjs"] = "text/javascript",
        [".css"] = "text/css",
        [".xml"] = "application/xml",
        [".sh"] = "text/x-sh",
        [".tex"] = "text/x-tex",
        [".c"] = "text/x-csrc",
        [".h"] = "text/x-chdr",
        [".cpp"] = "text/x-c++src",
        [".java"] = "text/x-java",
        [".png"] = "image/png",
        [".jpg"] = "image/jpeg",
        [".jpeg"] = "image/jpeg",
        [".gif"] = "image/gif",
        [".svg"] = "image/svg+xml",
        [".webp"] = "image/webp",
        [".bmp"] = "image/bmp",
        [".tif"] = "image/tiff",
        [".tiff"] = "image/tiff",
        [".ico"] = "image/vnd.microsoft.icon",
        [".avif"] = "image/avif",
        [".pdf"] = "application/pdf",
        [".zip"] = "application/zip",
        [".tar"] = "application/x-tar",
        [".wasm"] = "application/wasm",
        [".bin"] = "application/octet-stream",
        [".so"] = "application/octet-stream",
        [".exe"] = "application/octet-stream",
        [".o"] = "application/octet-stream",
        [".a"] = "application/octet-stream",
        [".dll"] = "application/octet-stream",
        [".obj"] = "application/octet-stream",
        [".doc"] = "application/msword",
        [".docx"] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        [".xls"] = "application/vnd.ms-excel",
        [".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [".ppt"] = "application/vnd.ms-powerpoint",
        [".pptx"] = "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        [".mp3"] = "audio/mpeg",
        [".wav"] = "audio/x-wav",
        [".ogg"] = "audio/ogg",
        [".flac"] = "audio/flac",
        [".mp4"] = "video/mp4",
        [".webm"] = "video/webm",
        [".mov"] = "video/quicktime",
        [".avi"] = "video/x-msvideo",
        [".ttf"] = "font/ttf",
        [".otf"] = "font/otf",
        [".woff"] = "font/woff",
        [".woff2"] = "font/woff2",
        [".rtf"] = "application/rtf",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>Null where the name does not tell, and for what is compressed: that is not of the type inside.</summary>
    public static string? Of(string name) => Types.GetValueOrDefault(Path.GetExtension(name));

    /// <summary>
    /// For the raw file. What is compressed is an archive to a browser, and what nobody knows is text if it looks like it.
    /// </summary>
    public static string OfRaw(string name, ReadOnlySpan<byte> start) =>
        Path.GetExtension(name).ToLowerInvariant() switch
        {
            ".ipynb" => "application/x-ipynb+json",
            ".gz" or ".tgz" => "application/gzip",
            ".bz2" or ".xz" or ".zst" => "application/octet-stream",
            _ => Of(name) is { } type
                ? type == "text/plain"
                    ? "text/plain; charset=UTF-8"
                    : type
                : LooksLikeText(start)
                    ? "text/plain; charset=UTF-8"
                    : "application/octet-stream",
        };

    /// <summary>UTF-8 without NUL; the last character may be cut.</summary>
    private static bool LooksLikeText(ReadOnlySpan<byte> start)
    {
        if (start.Contains((byte)0))
        {
            return false;
        }

        for (int cut = 0; cut < 4 && cut <= start.Length; cut++)
        {
            if (System.Text.Unicode.Utf8.IsValid(start[..^cut]))
            {
                return true;
            }
        }

        return false;
    }
}
