using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Contents;

/// <summary>
/// The one checkpoint of a file: a copy in <c>.ipynb_checkpoints</c> beside it, named as Jupyter names it, so that either finds the
/// other's. It goes where the file goes.
/// </summary>
internal static class Checkpoint
{
    public const string Id = "checkpoint";
    private const string FolderName = ".ipynb_checkpoints";

    public static bool Exists(Place file) => StatusOf(file) is { Kind: EntryKind.File };

    /// <summary>When it was made, in microseconds since 1970; null when there is none.</summary>
    public static long? ModifiedAt(Place file) =>
        StatusOf(file) is { Kind: EntryKind.File } status ? status.ModifiedNanoseconds / 1000 : null;

    public static void Create(Place file)
    {
        using Lock.Scope hold = WholeFile.Hold(file.RealPath);
        try
        {
            Directory.CreateDirectory(file.Beside(FolderName));
            ThrowIfLink(file);
            using FileStream from = file.OpenFile();
            Copy(from, PathOf(file), file.RealPath + "~" + Id);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SaveContents.NotWritable(file.Path, e);
        }
    }

    /// <summary>False when there is none.</summary>
    public static bool Restore(Place file)
    {
        using Lock.Scope hold = WholeFile.Hold(file.RealPath);
        ThrowIfLink(file);
        using Microsoft.Win32.SafeHandles.SafeFileHandle? checkpoint = PosixFiles.OpenFile(PathOf(file));
        if (checkpoint is null)
        {
            return false;
        }

        try
        {
            using FileStream from = new(checkpoint, FileAccess.Read, bufferSize: 0);
            Copy(from, file.Access, file.RealPath);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw SaveContents.NotWritable(file.Path, e);
        }
    }

    /// <summary>False when there is none.</summary>
    public static bool Delete(Place file)
    {
        if (!Exists(file))
        {
            return false;
        }

        ThrowIfLink(file);
        File.Delete(PathOf(file));
        return true;
    }

    /// <summary>Follows a file that was renamed. One that cannot follow is left behind: the file itself is what counts.</summary>
    public static void Move(Place from, Place to)
    {
        try
        {
            if (Exists(from))
            {
                Directory.CreateDirectory(to.Beside(FolderName));
                ThrowIfLink(from);
                ThrowIfLink(to);
                File.Move(PathOf(from), PathOf(to), overwrite: true);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RefusedException)
        {
            // As above.
        }
    }

    private static void Copy(FileStream from, string to, string realPath) =>
        _ = WholeFile.Write(
            to,
            realPath,
            previous: null,
            output =>
            {
                byte[] buffer = new byte[64 * 1024];
                while (from.Read(buffer) is > 0 and var length)
                {
                    output(buffer.AsMemory(0, length));
                }
            }
        );

    private static EntryStatus? StatusOf(Place file) => EntryStatus.Of(PathOf(file));

    /// <summary>Where the checkpoint of a file lies, by the file's own path.</summary>
    public static string RealPathOf(string file) =>
        Path.Combine(Path.GetDirectoryName(file)!, FolderName, FileNames.OfCheckpoint(Path.GetFileName(file)));

    private static string PathOf(Place file) => file.Beside($"{FolderName}/{FileNames.OfCheckpoint(file.Name)}");

    /// <summary>A folder of checkpoints that is a link may lead out of the root.</summary>
    private static void ThrowIfLink(Place file)
    {
        if (EntryStatus.Of(file.Beside(FolderName)) is { Kind: not EntryKind.Folder })
        {
            throw new RefusedException(
                ErrorCodes.ContentsNotWritable,
                $"The checkpoints of '{file.Path}' cannot be reached: {FolderName} beside it is not a folder."
            );
        }
    }
}
