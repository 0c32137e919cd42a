using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Contents;

/// <summary>The operations on files under the root, put together.</summary>
public sealed class ContentsOperations
{
    /// <param name="dataDirectory">Holds the hashes of trusted notebooks and the notes of uploads.</param>
    public ContentsOperations(string folder, string dataDirectory, ContentsOptions options, UnsavedResults unsaved, TimeProvider time)
    {
        var root = new ContentsRoot(folder, options.AllowsHidden);
        var trusted = new TrustedNotebooks(Path.Combine(dataDirectory, "trust"));
        Get = new GetContents(root, trusted, unsaved);
        Save = new SaveContents(root, trusted);
        Upload = new UploadContents(root, Path.Combine(dataDirectory, "uploads"), time);
        CreateUntitled = new CreateUntitled(root, Save);
        Copy = new CopyContents(root);
        Rename = new RenameContents(root);
        Delete = new DeleteContents(root, options.TrashFolder is { } trash ? new Trash(trash, time) : null);
        ListCheckpoints = new ListCheckpoints(root);
        CreateCheckpoint = new CreateCheckpoint(root);
        RestoreCheckpoint = new RestoreCheckpoint(root);
        DeleteCheckpoint = new DeleteCheckpoint(root);
        Trust = new TrustNotebook(root, trusted);
        OpenFile = new OpenContentsFile(root);
        Recover = new RecoverNotebook(folder, trusted, unsaved);
        Upload.RemoveLeftovers();
    }

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
