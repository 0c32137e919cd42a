namespace Holdfast.Engine.Contents;

/// <summary>What an entry is to Jupyter's clients.</summary>
public enum ContentsType
{
    Directory,
    File,
    Notebook,
}

/// <summary>How an entry's content is given.</summary>
public enum ContentsFormat
{
    Json,
    Text,
    Base64,
}

/// <summary>An entry's content. Bytes are those of the file for text and base64, and JSON for a notebook.</summary>
public abstract record ContentsBody
{
    public sealed record Listing(IReadOnlyList<ContentsModel> Entries) : ContentsBody;

    public sealed record Bytes(ReadOnlyMemory<byte> Value) : ContentsBody;
}

/// <summary>One file, notebook or folder, as Jupyter's contents API knows it. Times are microseconds since 1970.</summary>
public sealed record ContentsModel
{
    public required ContentsPath Path { get; init; }
    public required ContentsType Type { get; init; }
    public required long CreatedAt { get; init; }
    public required long ModifiedAt { get; init; }

    /// <summary>Null for a folder.</summary>
    public long? Size { get; init; }

    public bool IsWritable { get; init; }
    public string? MimeType { get; init; }

    /// <summary>Null when the content was not asked for, and with it the format.</summary>
    public ContentsBody? Content { get; init; }
    public ContentsFormat? Format { get; init; }

    /// <summary>SHA-256 of the file's bytes in hexadecimal, when it was asked for.</summary>
    public string? Hash { get; init; }
}
