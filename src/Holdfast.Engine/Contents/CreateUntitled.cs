namespace Holdfast.Engine.Contents;

/// <summary>
/// Makes a new, empty entry in a folder under a name of the server's choice: Untitled.ipynb, untitled.txt, Untitled Folder, numbered when
/// they are taken.
/// Errors: contents-not-found (the folder), invalid-request, contents-not-writable, disk-full.
/// </summary>
public sealed class CreateUntitled(ContentsRoot root, SaveContents save)
{
    /// <param name="extension">With its dot; for a file, or to say by <c>.ipynb</c> that a notebook is wanted.</param>
    public ContentsModel Run(ContentsPath folder, ContentsType? type, string extension)
    {
        using Place place = root.Find(folder);
        if (!place.IsFolder)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"'{folder}' is a file; new entries are made in folders. Use PUT to save a file."
            );
        }

        if (extension.Contains('/', StringComparison.Ordinal))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "ext must be a file's ending, such as .txt.");
        }

        ContentsType made = type ?? (extension == ".ipynb" ? ContentsType.Notebook : ContentsType.File);
        (string name, string insert) = made switch
        {
            ContentsType.Directory => ("Untitled Folder", " "),
            ContentsType.Notebook => ("Untitled.ipynb", ""),
            _ => ("untitled" + extension, ""),
        };
        string free = FileNames.Free(name, insert, taken => EntryStatus.Of($"{place.Access}/{taken}") is not null);
        Actor.Does(nameof(CreateUntitled), folder.Child(free).Text);
        return save.Run(new ContentsToSave(folder.Child(free), made)).Model;
    }
}
