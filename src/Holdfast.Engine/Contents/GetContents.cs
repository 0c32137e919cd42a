using System.Security.Cryptography;
using System.Text.Unicode;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Contents;

/// <summary>What of an entry is asked for; null leaves the choice to the file.</summary>
public sealed record ContentsQuery(ContentsPath Path)
{
    public ContentsType? Type { get; init; }
    public ContentsFormat? Format { get; init; }
    public bool WithContent { get; init; } = true;
    public bool WithHash { get; init; }
}

/// <summary>
/// Reads a file, a notebook or a folder's list. A notebook comes with what its cells have said since it was saved
/// (<see cref="UnsavedResults"/>).
/// Errors: contents-not-found, contents-not-readable, contents-too-large, invalid-request when it is not of the type or format asked for,
/// notebook-*.
/// </summary>
public sealed class GetContents(ContentsRoot root, TrustedNotebooks trusted, UnsavedResults unsaved)
{
    internal NotebookAssets? Assets { get; init; }

    internal OutputAssets? Outputs { get; init; }

    /// <summary>
    /// The same, and what of a notebook's new outputs is too large for it is kept as assets; what it refers to is noted and renewed.
    /// </summary>
    public async Task<ContentsModel> RunAsync(ContentsQuery query, CancellationToken cancellationToken)
    {
        ContentsModel model = Run(query, out string realPath, out List<LargeOutput> unkept);
        if (unkept.Count > 0 && Outputs is not null)
        {
            await Outputs.StoreAsync(unkept, realPath, cancellationToken);
            model = Run(query, out realPath, out _); // Which finds them kept.
        }

        if (model.Type == ContentsType.Notebook && model.Content is ContentsBody.Bytes content && Assets is not null)
        {
            await Assets.SeenAsync(realPath, content.Value);
        }

        return model;
    }

    public ContentsModel Run(ContentsQuery query) => Run(query, out _, out _);

    private ContentsModel Run(ContentsQuery query, out string realPath, out List<LargeOutput> unkept)
    {
        unkept = [];
        using Place place = root.Find(query.Path);
        realPath = place.RealPath;
        if (place.IsFolder)
        {
            return query.Type is null or ContentsType.Directory
                ? Folder(place, query)
                : throw WrongType(place, $"is a folder, not a {query.Type.Value.ToString().ToLowerInvariant()}");
        }

        return query.Type == ContentsType.Directory ? throw WrongType(place, "is not a folder") : FileOf(place, query, ref unkept);
    }

    private ContentsModel Folder(Place place, ContentsQuery query)
    {
        ContentsModel model = ContentsModels.Of(place);
        return query.WithContent
            ? model with
            {
                Content = new ContentsBody.Listing(ContentsModels.List(root, place)),
                Format = ContentsFormat.Json,
            }
            : model;
    }

    private ContentsModel FileOf(Place place, ContentsQuery query, ref List<LargeOutput> unkept)
    {
        ContentsModel model = ContentsModels.Of(place, query.Type);
        if (!query.WithContent)
        {
            return query.WithHash ? model with { Hash = HashOf(place) } : model;
        }

        if (model.Type == ContentsType.Notebook)
        {
            InterruptedExchange.Settle(place.RealPath);
        }

        byte[] bytes = ReadAll(place, out EntryStatus status);

        // Of the file that was read: another may have taken its name since the first look.
        model = model with
        {
            Size = bytes.Length,
            ModifiedAt = status.ModifiedNanoseconds / 1000,
        };
        model = query.WithHash ? model with { Hash = TrustedNotebooks.HashOf(bytes) } : model;
        return model.Type == ContentsType.Notebook
            ? Notebook(place, model, bytes, status, out unkept)
            : Text(place, model, bytes, query.Format);
    }

    private ContentsModel Notebook(Place place, ContentsModel model, byte[] bytes, EntryStatus status, out List<LargeOutput> unkept)
    {
        NotebookFile notebook = NotebookFile.Parse(bytes, place.Path.Text);
        bool isTrusted = trusted.Has(TrustedNotebooks.HashOf(bytes));
        HashSet<int> restored =
        [
            .. unsaved
                .ApplyTo(
                    notebook,
                    System.IO.Path.Combine(root.Folder, place.Path.Text),
                    place.RealPath,
                    status.ModifiedNanoseconds,
                    tellsConflicts: true,
                    out unkept
                )
                .Where(static c => c.IsRestored)
                .Select(static c => c.Index),
        ];

        // What a kernel of this server said to this notebook's own code is as trusted as if a client had shown it live.
        byte[] json = NotebookExchange.ToClient(notebook.ToBytes(), index => isTrusted || restored.Contains(index));
        return model with { Content = new ContentsBody.Bytes(json), Format = ContentsFormat.Json };
    }

    private static ContentsModel Text(Place place, ContentsModel model, byte[] bytes, ContentsFormat? wanted)
    {
        bool isText = wanted != ContentsFormat.Base64 && Utf8.IsValid(bytes);
        if (wanted == ContentsFormat.Text && !isText)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"The file '{place.Path}' is not UTF-8 text; ask for it as base64.");
        }

        return model with
        {
            Content = new ContentsBody.Bytes(bytes),
            Format = isText ? ContentsFormat.Text : ContentsFormat.Base64,
            MimeType = model.MimeType ?? (isText ? "text/plain" : "application/octet-stream"),
        };
    }

    private static byte[] ReadAll(Place place, out EntryStatus status)
    {
        using FileStream file = place.OpenFile();
        status = EntryStatus.Of(file.SafeFileHandle);
        if (status.Size > ContentsLimits.ContentBytesMax)
        {
            throw new RefusedException(
                ErrorCodes.ContentsTooLarge,
                $"The file '{place.Path}' has {status.Size} bytes; as JSON at most {ContentsLimits.ContentBytesMax} are given. GET /files/{place.Path} streams it."
            );
        }

        byte[] bytes = GC.AllocateUninitializedArray<byte>((int)status.Size);
        int length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
        return length == bytes.Length ? bytes : bytes[..length];
    }

    private static string HashOf(Place place)
    {
        using FileStream file = place.OpenFile();
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }

    private static RefusedException WrongType(Place place, string what) => new(ErrorCodes.InvalidRequest, $"'{place.Path}' {what}.");
}
