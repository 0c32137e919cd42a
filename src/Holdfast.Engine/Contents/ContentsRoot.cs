using Holdfast.Protocol.Processes;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Engine.Contents;

/// <summary>
/// The folder that clients see, and the one way from their paths to files. Nothing outside it is ever reached:
/// 1. dot segments and NULs are no paths (<see cref="ContentsPath"/>); 2. links are followed by realpath, and the result must lie in the
/// root's own real path;
/// 3. that path, free of links now, is walked from the root folder by openat, each step refusing links: what was swapped for a link since
/// step 2 is not followed; 4. the last name is used relative to the folder so held, and opened without following links, so that a swap
/// there is refused too.
/// </summary>
public sealed class ContentsRoot(string folder, bool allowsHidden)
{
    public string Folder { get; } = folder;

    /// <summary>True where a client may not see it, whether or not it is there.</summary>
    public bool Hides(ContentsPath path) => path.IsHidden && !allowsHidden;

    /// <summary>What a path leads to, for reading. Refused: contents-not-found, for hidden ones too.</summary>
    internal Place Find(ContentsPath path)
    {
        if (Hides(path))
        {
            throw path.NotFound();
        }

        Place place = Locate(path);
        if (place.Status is { Kind: EntryKind.File or EntryKind.Folder })
        {
            return place;
        }

        place.Dispose();
        throw path.NotFound();
    }

    /// <summary>
    /// Where a path leads or would lead, for changing it; its folder must be there. Refused: contents-not-found, and invalid-request for
    /// hidden ones, as Jupyter does.
    /// </summary>
    internal Place FindToChange(ContentsPath path) =>
        Hides(path)
            ? throw new RefusedException(ErrorCodes.InvalidRequest, $"'{path}' is hidden, and this server does not serve hidden files.")
            : Locate(path);

    /// <summary>The same without a look at whether the name is hidden: for names of our own making, such as checkpoints.</summary>
    internal Place Locate(ContentsPath path)
    {
        string root = PosixFiles.RealPath(Folder) ?? throw path.NotFound();
        if (path.IsRoot)
        {
            return Hold(path, root, root, "");
        }

        string given = $"{root}/{path.Text}";
        if (PosixFiles.RealPath(given) is { } real)
        {
            return real == root ? Hold(path, root, root, "")
                : IsWithin(root, real) ? Hold(path, root, Path.GetDirectoryName(real)!, Path.GetFileName(real))
                : throw path.NotFound();
        }

        if (Libc.Errno != PosixFiles.NoEntry || path.Name.Length == 0)
        {
            throw path.NotFound();
        }

        // A name that is not taken, in a folder that must be there.
        string? parent = PosixFiles.RealPath(path.Parent.IsRoot ? root : $"{root}/{path.Parent.Text}");
        return parent is not null && (parent == root || IsWithin(root, parent))
            ? Hold(path, root, parent, path.Name)
            : throw path.NotFound();
    }

    /// <summary>The file's own path, links followed.</summary>
    internal string RealPathOf(ContentsPath path)
    {
        using Place place = Locate(path);
        return place.RealPath;
    }

    /// <summary>The entry itself, also where it is a link: for moving it and taking it away.</summary>
    internal Place FindEntry(ContentsPath path)
    {
        if (path.IsRoot)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "The root folder itself cannot be moved or deleted.");
        }

        if (Hides(path))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{path}' is hidden, and this server does not serve hidden files.");
        }

        string root = PosixFiles.RealPath(Folder) ?? throw path.NotFound();
        string? parent = PosixFiles.RealPath(path.Parent.IsRoot ? root : $"{root}/{path.Parent.Text}");
        return parent is not null && (parent == root || IsWithin(root, parent))
            ? Hold(path, root, parent, path.Name)
            : throw path.NotFound();
    }

    private static bool IsWithin(string root, string real) => real.StartsWith(root == "/" ? root : root + "/", StringComparison.Ordinal);

    private static Place Hold(ContentsPath path, string root, string parent, string name)
    {
        SafeFileHandle folder = PosixFiles.OpenFolder(null, root) ?? throw path.NotFound();
        foreach (string segment in parent[root.Length..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            SafeFileHandle? next = PosixFiles.OpenFolder(folder, segment);
            folder.Dispose();
            folder = next ?? throw path.NotFound();
        }

        return new Place(path, folder, name, name.Length == 0 ? parent : $"{parent.TrimEnd('/')}/{name}");
    }
}
