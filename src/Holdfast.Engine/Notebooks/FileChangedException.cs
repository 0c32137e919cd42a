namespace Holdfast.Engine.Notebooks;

/// <summary>
/// A file is no longer the one that was read: to write what was made of that one would undo what somebody else has written.
/// </summary>
internal sealed class FileChangedException(string path)
    : RefusedException(
        ErrorCodes.NotebookBusy,
        $"{path} is being saved by another program just now, and was left as that one wrote it. Try again."
    );
