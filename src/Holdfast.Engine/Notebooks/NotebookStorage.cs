using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Notebook files on disk, read whole and written whole or not at all.
/// A notebook is written through symbolic links, by <see cref="WholeFile"/>.
/// </summary>
internal static class NotebookStorage
{
    /// <summary>No front end opens such a notebook; the bound keeps one request from taking the server's memory.</summary>
    public const long FileBytesMax = 1L << 30;

    public static byte[] Read(string path, out FileStatus status)
    {
        InterruptedExchange.Settle(path);
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            status = FileStatus.Of(file.SafeFileHandle) ?? default; // Before the bytes: what is written while they are read is a change.
            if (file.Length > FileBytesMax)
            {
                throw new RefusedException(
                    ErrorCodes.NotebookUnreadable,
                    $"The notebook {path} has {file.Length} bytes; at most {FileBytesMax} can be read. Clear its outputs first."
                );
            }

            byte[] text = new byte[file.Length];
            file.ReadExactly(text);
            return text;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RefusedException(
                ErrorCodes.NotebookNotFound,
                $"There is no notebook at {path}. Check the path; relative paths start at the server's root folder."
            );
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            string why = Directory.Exists(path) ? "it is a folder" : unreadable.Message;
            throw new RefusedException(ErrorCodes.NotebookUnreadable, $"The notebook {path} cannot be read: {why}");
        }
    }

    /// <summary>
    /// The file itself: every link on the way followed, also one to where a file is yet to be. The path as it is where there is neither.
    /// </summary>
    public static string RealPathOf(string path)
    {
        if (Contents.PosixFiles.RealPath(path) is { } real)
        {
            return real;
        }

        bool isLink = new FileInfo(path).LinkTarget is not null;
        return isLink ? File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName : Path.GetFullPath(path);
    }

    /// <summary>
    /// What a notebook is known by: the same of a path as it is given, relative to the root where it is not absolute. Of a file that is
    /// not there, links on the way are followed all the same.
    /// </summary>
    public static string RealPathOf(string path, string root)
    {
        string full = Path.GetFullPath(path, root);
        return Contents.PosixFiles.RealPath(full) ?? RealEntryOf(RealPathOf(full));
    }

    /// <summary>
    /// Of a name in its folder, where links on the way are followed and the name itself is taken as it is: for what is renamed or gone.
    /// </summary>
    public static string RealEntryOf(string path) =>
        Path.GetDirectoryName(path) is { } folder ? Path.Combine(RealPathOf(folder), Path.GetFileName(path)) : path;

    /// <exception cref="FileChangedException">The file is not what is expected.</exception>
    public static FileStatus Write(
        string path,
        FileStatus? previous,
        Action<Action<ReadOnlyMemory<byte>>> write,
        FileStatus? expected = null
    )
    {
        try
        {
            string target = RealPathOf(path);
            return WholeFile.Write(target, target, previous, write, expected);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(
                ErrorCodes.NotebookNotWritable,
                $"The notebook {path} cannot be written: {unwritable.Message} The file is as it was; the folder must be writable too, as a save replaces the file."
            );
        }
    }
}
