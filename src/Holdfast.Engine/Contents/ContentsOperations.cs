using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Contents;

/// <summary>The operations on files under the root, put together.</summary>
public sealed class ContentsOperations
{
    /// <param name="dataDirectory">Holds the hashes of trusted notebooks and the notes of uploads.</param>
    internal ContentsOperations(
        string folder,
        string dataDirectory,
        ContentsOptions options,
        UnsavedResults unsaved,
        TimeProvider time,
        NotebookAssets? assets = null,
        OutputAssets? outputs = null
    )
    {
        var root = new ContentsRoot(folder, options.AllowsHidden);
        var trusted = new TrustedNotebooks(Path.Combine(dataDirectory, "trust"));
        Get = new GetContents(root, trusted, unsaved) { Assets = assets, Outputs = outputs };
        Save = new SaveContents(root, trusted) { Assets = assets, NotebookSaved = path => ReactiveSaved?.Invoke(path) };
        Upload = new UploadContents(root, Path.Combine(dataDirectory, "uploads"), time);
        CreateUntitled = new CreateUntitled(root, Save);
        Copy = new CopyContents(root) { Assets = assets };
        Rename = new RenameContents(root, unsaved) { Assets = assets, Moved = (from, to) => Moved?.Invoke(from, to) };
        Delete = new DeleteContents(root, options.TrashFolder is { } trash ? new Trash(trash, time) : null, unsaved)
        {
            Deleted = path => Deleted?.Invoke(path),
        };
        ListCheckpoints = new ListCheckpoints(root);
        CreateCheckpoint = new CreateCheckpoint(root) { Assets = assets };
        RestoreCheckpoint = new RestoreCheckpoint(root) { Assets = assets };
        DeleteCheckpoint = new DeleteCheckpoint(root);
        Trust = new TrustNotebook(root, trusted);
        OpenFile = new OpenContentsFile(root);
        Recover = new RecoverNotebook(folder, trusted, unsaved) { Assets = assets, Outputs = outputs };
        Upload.RemoveLeftovers();
    }

    /// <summary>
    /// A file or a folder has another name; both are absolute. Raised when it is so; handlers only take note, as those of the next two.
    /// </summary>
    internal Action<string, string>? Moved { get; set; }

    internal Action<string>? Deleted { get; set; }

    /// <summary>A client has saved a notebook whose metadata says that it is reactive.</summary>
    internal Action<string>? ReactiveSaved { get; set; }

    public GetContents Get { get; }
    public SaveContents Save { get; }
    public UploadContents Upload { get; }
    public CreateUntitled CreateUntitled { get; }
    public CopyContents Copy { get; }
    public RenameContents Rename { get; }
    public DeleteContents Delete { get; }
    public ListCheckpoints ListCheckpoints { get; }
    public CreateCheckpoint CreateCheckpoint { get; }
    public RestoreCheckpoint RestoreCheckpoint { get; }
    public DeleteCheckpoint DeleteCheckpoint { get; }
    public TrustNotebook Trust { get; }
    public OpenContentsFile OpenFile { get; }
    public RecoverNotebook Recover { get; }
}
