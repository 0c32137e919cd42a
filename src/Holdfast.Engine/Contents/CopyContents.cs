using Holdfast.Engine.Assets;
using Holdfast.Engine.Notebooks;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Contents;

/// <summary>
/// Copies a file or a folder into a folder, byte for byte; a taken name gets -Copy1, -Copy2, …. A link within a folder is not followed, and
/// left out.
/// Errors: contents-not-found, contents-not-readable, invalid-request, contents-not-writable, disk-full.
/// </summary>
public sealed class CopyContents(ContentsRoot root)
{
    internal NotebookAssets? Assets { get; init; }

    /// <summary>The same, and what the copy refers to is noted. Notebooks in a copied folder are noted when they are opened.</summary>
    public async Task<ContentsModel> RunAsync(ContentsPath from, ContentsPath folder)
    {
        ContentsModel made = Run(from, folder);
        if (made.Type == ContentsType.Notebook && Assets is not null)
        {
            string path = root.RealPathOf(made.Path);
            await Assets.SeenAsync(path, await File.ReadAllBytesAsync(path));
        }

        return made;
    }

    public ContentsModel Run(ContentsPath from, ContentsPath folder)
    {
        Actor.Does(nameof(CopyContents), from.Text, $"to {folder.Text}");
        if (root.Hides(from) || root.Hides(folder))
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"'{from}' cannot be copied to '{folder}': this server does not serve hidden files."
            );
        }

        using Place source = root.Find(from);
        using Place target = root.Find(folder);
        if (!target.IsFolder || source.Path.IsRoot)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{from}' can be copied into a folder only; '{folder}' is none.");
        }

        if (target.RealPath == source.RealPath || target.RealPath.StartsWith(source.RealPath + "/", StringComparison.Ordinal))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{from}' cannot be copied into itself.");
        }

        string name = source.IsFolder ? from.Name : FileNames.WithoutCopy(from.Name);
        string free = source.IsFolder
            ? FreeFolder(target, name)
            : FileNames.Free(name, "-Copy", taken => EntryStatus.Of($"{target.Access}/{taken}") is not null);
        using Place copy = root.FindToChange(folder.Child(free));
        try
        {
            if (source.IsFolder)
            {
                CopyFolder(source.Access, copy.Access);
            }
            else
            {
                using FileStream bytes = source.OpenFile();
                CopyFile(bytes, copy.Access, copy.RealPath);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            WholeFile.ThrowIfFull(e, copy.RealPath);
            throw SaveContents.NotWritable(copy.Path, e);
        }

        return ContentsModels.OfChanged(copy);
    }

    private static string FreeFolder(Place target, string name)
    {
        string candidate = name;
        for (int number = 1; EntryStatus.Of($"{target.Access}/{candidate}") is not null; number++)
        {
            candidate = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{name}-Copy{number}");
        }

        return candidate;
    }

    private static void CopyFolder(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string entry in Directory.EnumerateFileSystemEntries(from))
        {
            string target = $"{to}/{Path.GetFileName(entry)}";
            switch (EntryStatus.Of(entry)?.Kind)
            {
                case EntryKind.Folder:
                    CopyFolder(entry, target);
                    break;
                case EntryKind.File when PosixFiles.OpenFile(entry) is { } handle:
                    using (FileStream bytes = new(handle, FileAccess.Read, bufferSize: 0))
                    {
                        CopyFile(bytes, target, target);
                    }

                    break;
                default:
                    break;
            }
        }
    }

    private static void CopyFile(FileStream from, string to, string realPath)
    {
        FileStatus? like = FileStatus.Of($"/proc/self/fd/{from.SafeFileHandle.DangerousGetHandle()}");
        _ = WholeFile.Write(
            to,
            realPath,
            like is { } status ? status with { UserId = uint.MaxValue, GroupId = uint.MaxValue } : null,
            output =>
            {
                byte[] buffer = new byte[256 * 1024];
                while (from.Read(buffer) is > 0 and var length)
                {
                    output(buffer.AsMemory(0, length));
                }
            }
        );
    }
}
