namespace Holdfast.Engine.Assets;

/// <summary>Who may refer to an asset.</summary>
public enum AssetReferenceKind
{
    /// <summary>The execution whose output it is, until retention deletes it.</summary>
    Execution,

    /// <summary>A notebook's file, by its path, in which the asset's hash stands.</summary>
    Notebook,

    /// <summary>A client that said so, by the name it chose.</summary>
    Pin,
}

/// <summary>One reference to an asset: an execution's id, a notebook's path or a client's name.</summary>
public sealed record AssetReference(AssetReferenceKind Kind, string Subject)
{
    /// <summary>As it is stored and shown.</summary>
    public string KindName => NameOf(Kind);

    public static string NameOf(AssetReferenceKind kind) =>
        kind switch
        {
            AssetReferenceKind.Execution => "execution",
            AssetReferenceKind.Notebook => "notebook",
            _ => "pin",
        };

    public static AssetReferenceKind KindOf(string name) =>
        name switch
        {
            "execution" => AssetReferenceKind.Execution,
            "notebook" => AssetReferenceKind.Notebook,
            _ => AssetReferenceKind.Pin,
        };
}

/// <summary>An asset as the store knows it. Times are microseconds.</summary>
public sealed record Asset(AssetHash Hash, long Size, string MediaType, long CreatedAt, long LeaseUntil)
{
    /// <summary>Since when it has been found to be expired and unreferenced, and is about to be deleted.</summary>
    public long? DeletingAt { get; init; }

    public IReadOnlyList<AssetReference> References { get; init; } = [];
}
