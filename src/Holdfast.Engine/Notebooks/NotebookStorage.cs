using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Notebooks.Json;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Notebook files on disk, read whole and written whole or not at all.
/// Writing: 1. follow symbolic links to the file itself, 2. a temporary file beside it, 3. owner and mode as before, 4. fsync, 5. rename, 6. fsync of the folder.
/// A crash before 5 leaves the old notebook and one hidden temporary file, which the next save of the same notebook removes; after 5, the new notebook.
/// </summary>
internal static class NotebookStorage
{
    /// <summary>No front end opens such a notebook; the bound keeps one request from taking the server's memory.</summary>
    public const long FileBytesMax = 1L << 30;

    private const UnixFileMode NewFileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    public static byte[] Read(string path, out FileStatus status)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            status = FileStatus.Of(path) ?? default;
            if (file.Length > FileBytesMax)
            {
                throw new RefusedException(ErrorCodes.NotebookUnreadable, $"The notebook {path} has {file.Length} bytes; at most {FileBytesMax} can be read. Clear its outputs first.");
            }

            byte[] text = new byte[file.Length];
            file.ReadExactly(text);
            return text;
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new RefusedException(ErrorCodes.NotebookNotFound, $"There is no notebook at {path}. Check the path; relative paths start at the server's root folder.");
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            string why = Directory.Exists(path) ? "it is a folder" : unreadable.Message;
            throw new RefusedException(ErrorCodes.NotebookUnreadable, $"The notebook {path} cannot be read: {why}");
        }
    }

    public static FileStatus Write(string path, FileStatus? previous, Action<Action<ReadOnlyMemory<byte>>> write)
    {
        string? temporary = null;
        try
        {
            bool isLink = new FileInfo(path).LinkTarget is not null;
            string target = isLink ? File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName : Path.GetFullPath(path);
            string folder = Path.GetDirectoryName(target)!;

            // One name for each notebook, so that leftovers cannot pile up; exclusive creation, so that a link planted there is not followed.
            string mark = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFileName(target)))[..8]);
            temporary = Path.Combine(folder, $".holdfast-{mark}.tmp");
            File.Delete(temporary);
            FileStatus? old = FileStatus.Of(target) ?? previous;
            FileStreamOptions options = new()
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 64 * 1024,
                UnixCreateMode = old is null ? NewFileMode : UnixFileMode.UserRead | UnixFileMode.UserWrite,
            };
            using (FileStream file = new(temporary, options))
            {
                write(slice => file.Write(slice.Span));
                file.Flush();
                if (old is { } status)
                {
                    // The owner first: changing it clears the set-id bits.
                    status.ApplyOwner(file.SafeFileHandle);
                    File.SetUnixFileMode(file.SafeFileHandle, status.Mode);
                }

                file.Flush(flushToDisk: true);
            }

            File.Move(temporary, target, overwrite: true);
            temporary = null;
            DurableFile.SyncDirectory(folder);
            return FileStatus.Of(target) ?? default;
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            Discard(temporary);
            throw new RefusedException(ErrorCodes.NotebookNotWritable, $"The notebook {path} cannot be written: {unwritable.Message} The file is as it was; the folder must be writable too, as a save replaces the file.");
        }
    }

    private static void Discard(string? temporary)
    {
        try
        {
            if (temporary is not null)
            {
                File.Delete(temporary);
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next save of this notebook removes it.
        }
    }
}
