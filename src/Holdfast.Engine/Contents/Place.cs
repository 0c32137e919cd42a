using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Engine.Contents;

/// <summary>
/// A name in a folder that is held open: whatever is renamed or linked above it meanwhile, it stays this name in this folder.
/// </summary>
internal sealed class Place : IDisposable
{
    private readonly SafeFileHandle _folder;

    public Place(ContentsPath path, SafeFileHandle folder, string name, string realPath)
    {
        (Path, _folder, Name, RealPath) = (path, folder, name, realPath);
        FolderAccess = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{(int)folder.DangerousGetHandle()}");
        Access = name.Length == 0 ? FolderAccess + "/." : $"{FolderAccess}/{name}";
        Status = EntryStatus.Of(Access);
    }

    public ContentsPath Path { get; }

    /// <summary>In its folder; of the file itself where the path led through a link. Empty for the root.</summary>
    public string Name { get; }

    /// <summary>Where it was when it was found: to be compared and shown, never to be opened.</summary>
    public string RealPath { get; }

    /// <summary>The path to open it by: through the held folder.</summary>
    public string Access { get; }

    public string FolderAccess { get; }

    /// <summary>What was there when it was found; null for a free name.</summary>
    public EntryStatus? Status { get; private set; }

    public bool IsFolder => Status is { Kind: EntryKind.Folder };

    public bool IsFile => Status is { Kind: EntryKind.File };

    /// <summary>Another name in the same folder.</summary>
    public string Beside(string name) => $"{FolderAccess}/{name}";

    public void LookAgain() => Status = EntryStatus.Of(Access);

    /// <summary>The file, open for reading. Refused: contents-not-found when it is gone, contents-not-readable.</summary>
    public FileStream OpenFile()
    {
        SafeFileHandle? file = PosixFiles.OpenFile(Access);
        if (file is null)
        {
            throw EntryStatus.Of(Access) is { Kind: EntryKind.File }
                ? new RefusedException(ErrorCodes.ContentsNotReadable, $"The file '{Path}' cannot be read: the server may not open it.")
                : Path.NotFound();
        }

        if (EntryStatus.Of(file).Kind != EntryKind.File)
        {
            file.Dispose();
            throw Path.NotFound();
        }

        return new FileStream(file, FileAccess.Read, bufferSize: 0);
    }

    public void Dispose() => _folder.Dispose();
}
