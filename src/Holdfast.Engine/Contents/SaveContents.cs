using System.Buffers;
using System.Buffers.Text;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Notebooks.Json;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Contents;

/// <summary>What a client wants saved: the content is JSON as it was sent, a string for files and an object for notebooks.</summary>
public sealed record ContentsToSave(ContentsPath Path, ContentsType Type)
{
    public ContentsFormat? Format { get; init; }
    public ReadOnlyMemory<byte> Content { get; init; }
}

/// <summary>What a save made of it.</summary>
/// <param name="IsNew">There was nothing by that name before.</param>
public sealed record SavedContents(ContentsModel Model, bool IsNew)
{
    internal bool HasNewCheckpoint { get; init; }
}

/// <summary>
/// Saves a file or a notebook whole, or not at all, or makes a folder. A notebook whose cells the client all trusts is trusted from then
/// on.
/// Errors: contents-not-found (its folder), contents-not-writable, disk-full, invalid-request, notebook-invalid,
/// notebook-unsupported-format.
/// </summary>
public sealed class SaveContents(ContentsRoot root, TrustedNotebooks trusted)
{
    private static readonly byte[] EmptyNotebook = """{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}"""u8.ToArray();

    /// <summary>Told when a reactive notebook is saved: its absolute path.</summary>
    internal Action<string>? NotebookSaved { get; init; }

    internal NotebookAssets? Assets { get; init; }

    /// <summary>The same, and what the notebook refers to is noted and renewed.</summary>
    public async Task<SavedContents> RunAsync(ContentsToSave wanted)
    {
        SavedContents saved = Run(wanted);
        if (wanted.Type == ContentsType.Notebook && Assets is not null)
        {
            string file = root.RealPathOf(wanted.Path);
            await Assets.SeenAsync(file, wanted.Content);
            if (saved.HasNewCheckpoint)
            {
                await Assets.SeenAsync(Checkpoint.RealPathOf(file), wanted.Content);
            }
        }

        return saved;
    }

    public SavedContents Run(ContentsToSave wanted)
    {
        Actor.Does(nameof(SaveContents), wanted.Path.Text);
        using Place place = root.FindToChange(wanted.Path);
        bool isNew = place.Status is null;
        if (wanted.Type == ContentsType.Directory)
        {
            MakeFolder(place);
            return new SavedContents(ContentsModels.OfChanged(place), isNew);
        }

        if (place.IsFolder || place.Path.IsRoot)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{place.Path}' is a folder; a file cannot be saved over it.");
        }

        if (!isNew && wanted.Content.IsEmpty)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"The content is missing. '{place.Path}' is there already, and is not emptied for that."
            );
        }

        bool hasNewCheckpoint = false;
        if (wanted.Type == ContentsType.Notebook)
        {
            hasNewCheckpoint = SaveNotebook(place, wanted.Content);
        }
        else
        {
            Write(place, Decode(wanted.Content.Span, wanted.Format, place.Path));
        }

        return new SavedContents(ContentsModels.OfChanged(place, wanted.Type), isNew) { HasNewCheckpoint = hasNewCheckpoint };
    }

    /// <summary>The bytes of a file from the JSON string that a client sent.</summary>
    internal static byte[] Decode(ReadOnlySpan<byte> content, ContentsFormat? format, ContentsPath path)
    {
        if (content.IsEmpty)
        {
            return []; // A new file.
        }

        if (content[0] != (byte)'"')
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"The content of the file '{path}' must be a string.");
        }

        ArrayBufferWriter<byte> decoded = new(content.Length);
        JsonStrings.Decode(content, decoded);
        switch (format)
        {
            case ContentsFormat.Base64:
                // In place: the array is ours.
                byte[] bytes = decoded.WrittenSpan.ToArray();
                return Base64.DecodeFromUtf8InPlace(bytes, out int length) == OperationStatus.Done
                    ? bytes[..length]
                    : throw new RefusedException(ErrorCodes.InvalidRequest, $"The content of '{path}' is not base64.");
            case ContentsFormat.Json:
                throw new RefusedException(ErrorCodes.InvalidRequest, $"The format of the file '{path}' must be text or base64.");
            default:
                return decoded.WrittenSpan.ToArray();
        }
    }

    internal static void Write(Place place, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            _ = WholeFile.Write(place.Access, place.RealPath, previous: null, output => output(bytes));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritable(place.Path, e);
        }
    }

    internal static RefusedException NotWritable(ContentsPath path, Exception cause) =>
        new(
            ErrorCodes.ContentsNotWritable,
            $"'{path}' cannot be written: {cause.Message.Replace("/proc/self/fd/", "folder ", StringComparison.Ordinal)} What was there is as it was."
        );

    /// <summary>True when its first checkpoint was made with it.</summary>
    private bool SaveNotebook(Place place, ReadOnlyMemory<byte> content)
    {
        ReadOnlyMemory<byte> json = content.IsEmpty ? EmptyNotebook : content;
        bool isReactive = NotebookFile.Parse(json, place.Path.Text).IsReactive; // What could not be read back is not written.
        (byte[] text, bool isTrusted) = NotebookExchange.ToFile(json.Span);
        Write(place, text);
        if (isReactive)
        {
            NotebookSaved?.Invoke(Path.Combine(root.Folder, place.Path.Text));
        }

        if (isTrusted)
        {
            trusted.Add(TrustedNotebooks.HashOf(text));
        }

        // One checkpoint always exists of a notebook, as with Jupyter.
        if (Checkpoint.Exists(place))
        {
            return false;
        }

        Checkpoint.Create(place);
        return true;
    }

    private static void MakeFolder(Place place)
    {
        if (place.IsFolder)
        {
            return;
        }

        if (place.Status is not null)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{place.Path}' is not a folder.");
        }

        try
        {
            Directory.CreateDirectory(place.Access);
            DurableFile.SyncDirectory(place.FolderAccess);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WholeFile.ThrowIfFull(e, place.RealPath);
            throw NotWritable(place.Path, e);
        }
    }
}
