using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Contents;
using Holdfast.Protocol;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Replaces people's files whole or not at all: 1. a temporary file beside it, 2. owner and mode as before, 3. fsync, 4. rename, 5. fsync
/// of the folder. A crash before 4 leaves the old file and one hidden temporary file, which the next write of the same file removes; after
/// 4, the new file. Writers of one file in this process come one after the other: what one read, changed and writes under
/// <see cref="Hold"/> is not lost to another.
/// </summary>
internal static class WholeFile
{
    private const UnixFileMode NewFileMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>A stripe may be shared by two files, which then only wait for each other.</summary>
    private static readonly Lock[] Stripes = [.. Enumerable.Range(0, 64).Select(static _ => new Lock())];

    /// <summary>
    /// Keeps other writers of this file out, on this thread, until it is disposed. The path is the file's own, links followed.
    /// </summary>
    public static Lock.Scope Hold(string realPath) =>
        Stripes[(uint)StringComparer.Ordinal.GetHashCode(realPath) % Stripes.Length].EnterScope();

    /// <param name="path">What to open it by; a link there is replaced, not followed.</param>
    /// <param name="realPath">The file's own path, by which writers of one file know one another.</param>
    /// <param name="previous">Whose owner and mode a file takes that is gone in between.</param>
    /// <param name="expected">What the file has to be still when the new one takes its place; null where that is all the same.</param>
    /// <exception cref="RefusedException">disk-full: the old file is untouched.</exception>
    /// <exception cref="FileChangedException">Somebody else has written it: it is as he left it.</exception>
    public static FileStatus Write(
        string path,
        string realPath,
        FileStatus? previous,
        Action<Action<ReadOnlyMemory<byte>>> write,
        FileStatus? expected = null
    )
    {
        using Lock.Scope hold = Hold(realPath);
        string folder = Path.GetDirectoryName(path)!;

        // One name for each file, so that leftovers cannot pile up; exclusive creation, so that a link planted there is not followed.
        string temporary = Path.Combine(folder, $".holdfast-{MarkOf(path)}.tmp");
        try
        {
            File.Delete(temporary);
            FileStatus? old = FileStatus.Of(path) ?? previous;
            using (FileStream file = Create(temporary, isPrivate: old is not null))
            {
                write(slice => file.Write(slice.Span));
                file.Flush();
                Finish(file, old);
            }

            if (expected is not { } wanted)
            {
                Put(temporary, path);
            }
            else if ((FileStatus.Of(path) is { } now && now != wanted) || !TryReplace(temporary, path, wanted))
            {
                throw new FileChangedException(realPath);
            }

            return FileStatus.Of(path) ?? default;
        }
        catch (Exception failure)
        {
            Discard(temporary);
            ThrowIfFull(failure, realPath);
            throw;
        }
    }

    /// <summary>By which what lies beside a file for a while is known to be its.</summary>
    public static string MarkOf(string path) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFileName(path)))[..8]);

    /// <summary>A new file for what will be renamed into place; only ours while it has not yet its mode.</summary>
    public static FileStream Create(string path, bool isPrivate) =>
        new(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.None,
                BufferSize = 64 * 1024,
                UnixCreateMode = isPrivate ? UnixFileMode.UserRead | UnixFileMode.UserWrite : NewFileMode,
            }
        );

    /// <summary>Owner and mode as the file before it, and everything on disk.</summary>
    public static void Finish(FileStream file, FileStatus? old)
    {
        if (old is { } status)
        {
            // The owner first: changing it clears the set-id bits.
            status.ApplyOwner(file.SafeFileHandle);
            File.SetUnixFileMode(file.SafeFileHandle, status.Mode);
        }

        file.Flush(flushToDisk: true);
    }

    public static void Put(string temporary, string path)
    {
        CrashPoints.Reach(CrashPoint.ServerFileWritten);
        File.Move(temporary, path, overwrite: true);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// Puts the new file in the place of the one that is expected there, and of no other: both change places, and what came out is looked
    /// at. If somebody has saved between the last look and this one, or wrote into the file that he had open, his goes back. False then,
    /// and the new file is gone. A busy machine makes these moments long; if the server dies in one, <see cref="InterruptedExchange"/>
    /// finds the name.
    /// </summary>
    internal static bool TryReplace(string temporary, string path, FileStatus expected)
    {
        CrashPoints.Reach(CrashPoint.ServerFileWritten);
        FileStatus ours = FileStatus.Of(temporary) ?? throw new FileNotFoundException("The new file is gone.", temporary);
        string other = InterruptedExchange.NameOf(path, ours, expected);
        File.Move(temporary, other, overwrite: true);
        if (!PosixFiles.Exchange(other, path))
        {
            File.Move(other, path, overwrite: true); // It was deleted, or the file system knows no such exchange.
            DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
            return true;
        }

        CrashPoints.Reach(CrashPoint.ServerFilesExchanged);
        DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
        bool isReplaced = FileStatus.Of(other) == expected;
        if (!isReplaced && PosixFiles.Exchange(other, path) && FileStatus.Of(other) != ours)
        {
            _ = PosixFiles.Exchange(other, path); // Saved once more meanwhile: the later one stays.
        }

        Discard(other);
        return isReplaced;
    }

    public static void Discard(string temporary)
    {
        try
        {
            File.Delete(temporary);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next write of this file removes it.
        }
    }

    public static void ThrowIfFull(Exception failure, string shownPath)
    {
        // .NET gives such an exception the errno as its HResult.
        if (failure is IOException { HResult: Libc.Enospc or Libc.Edquot })
        {
            throw new RefusedException(
                ErrorCodes.DiskFull,
                $"The disk or quota of {Path.GetDirectoryName(shownPath)} is full. The file {Path.GetFileName(shownPath)} is as it was."
            );
        }
    }
}
