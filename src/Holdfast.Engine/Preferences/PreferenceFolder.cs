using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Preferences;

/// <summary>One kept document: what it is called, what was written, and when.</summary>
public sealed record Preference(string Name, byte[] Content, DateTimeOffset ModifiedAt);

/// <summary>
/// Small JSON documents that front ends keep with the server, a file each, whole or absent. A name may have any signs; its file's name has
/// them escaped. Knows nothing of what is in them. Errors: invalid-request, disk-full.
/// </summary>
public sealed class PreferenceFolder(string folder)
{
    private const string Ending = ".json";
    private const int BytesMax = 256 * 1024 * 1024; // Far above what the door takes.
    private const int FileNameLengthMax = 240; // 255 is the file systems' limit, and a file is written under a longer name first.
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly Lock _turn = new(); // Guards the files: a change reads and then writes.

    public IReadOnlyList<Preference> List()
    {
        lock (_turn)
        {
            return !Directory.Exists(folder)
                ? []
                :
                [
                    .. Directory
                        .EnumerateFiles(folder, "*" + Ending)
                        .Order(StringComparer.Ordinal)
                        .Select(static file => Read(Uri.UnescapeDataString(Path.GetFileName(file)[..^Ending.Length]), file)!),
                ];
        }
    }

    public Preference? Find(string name)
    {
        lock (_turn)
        {
            return Read(name, FileOf(name));
        }
    }

    /// <summary>
    /// Writes what <paramref name="change"/> makes of the content there is, which is null when there is none. Nobody else changes it
    /// meanwhile.
    /// </summary>
    public byte[] Change(string name, Func<byte[]?, byte[]> change)
    {
        string file = FileOf(name);
        lock (_turn)
        {
            byte[] content = change(Read(name, file)?.Content);
            try
            {
                _ = Directory.CreateDirectory(folder, OwnerOnly);
                DurableFile.Write(file, content);
            }
            catch (IOException e) when (e.HResult is Libc.Enospc or Libc.Edquot)
            {
                throw new RefusedException(ErrorCodes.DiskFull, $"There is no room for '{name}'. Free some space and save it again.");
            }

            return content;
        }
    }

    /// <summary>False when there was none.</summary>
    public bool Delete(string name)
    {
        string file = FileOf(name);
        lock (_turn)
        {
            if (!File.Exists(file))
            {
                return false;
            }

            File.Delete(file);
            DurableFile.SyncDirectory(folder);
            return true;
        }
    }

    private static Preference? Read(string name, string file)
    {
        try
        {
            return new Preference(name, PlainFile.Read(file, BytesMax), File.GetLastWriteTimeUtc(file));
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    private string FileOf(string name)
    {
        string escaped = Uri.EscapeDataString(name);
        escaped = escaped.StartsWith('.') ? "%2E" + escaped[1..] : escaped; // No dot segments, and nothing hidden.
        return name.Length > 0 && escaped.Length + Ending.Length <= FileNameLengthMax
            ? Path.Combine(folder, escaped + Ending)
            : throw new RefusedException(ErrorCodes.InvalidRequest, $"A name must have 1 to about {FileNameLengthMax} characters.");
    }
}
