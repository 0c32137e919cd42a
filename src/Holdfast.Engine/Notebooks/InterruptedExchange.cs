using System.Collections.Concurrent;
using System.Globalization;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// What a server leaves that is killed while <see cref="WholeFile.TryReplace"/> lets two files change places. The new file waits for it
/// under a name that says which file it is and which one it is to replace. So whoever finds such a name knows what lies there: 1. the new
/// file: nothing has happened yet; 2. the one it replaces: all has; 3. anything else: somebody's save of the moment between, which goes
/// back to its place, unless he has saved once more since. Then the name goes. Looked for when a notebook is first read by this process,
/// which it is before it is exchanged.
/// </summary>
internal static class InterruptedExchange
{
    private const int SettledMax = 10_000;

    private static readonly ConcurrentDictionary<string, bool> Settled = new(StringComparer.Ordinal);

    public static string NameOf(string path, FileStatus ours, FileStatus expected) =>
        Path.Combine(Path.GetDirectoryName(path)!, $"{Prefix(path)}{Text(ours)}-{Text(expected)}.tmp");

    /// <param name="path">Links are followed.</param>
    public static void Settle(string path)
    {
        if (Settled.ContainsKey(path))
        {
            return;
        }

        if (Settled.Count >= SettledMax)
        {
            Settled.Clear(); // Looked for once more than needed.
        }

        string real = NotebookStorage.RealPathOf(path);
        using Lock.Scope hold = WholeFile.Hold(real); // What is being exchanged now is no leftover.
        if (!Settled.TryAdd(path, true) || Path.GetDirectoryName(real) is not { } folder || !Directory.Exists(folder))
        {
            return;
        }

        string prefix = Prefix(real);
        try
        {
            foreach (string left in Directory.GetFiles(folder, prefix + "*.tmp"))
            {
                string[] parts = Path.GetFileNameWithoutExtension(left)[prefix.Length..].Split('-');
                if (parts.Length == 2 && FileStatus.Of(left) is { } found)
                {
                    Settle(left, real, found, ours: parts[0], expected: parts[1]);
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Settled.TryRemove(path, out _); // Whoever comes next tries again.
        }
    }

    private static void Settle(string left, string path, FileStatus found, string ours, string expected)
    {
        FileStatus? now = FileStatus.Of(path);
        bool isSomebodys = Text(found) != ours && Text(found) != expected;
        if (isSomebodys && now is { } standing && (Text(standing) == ours || standing.ModifiedNanoseconds < found.ModifiedNanoseconds))
        {
            _ = WholeFile.TryReplace(left, path, standing);
        }
        else if (isSomebodys && now is null)
        {
            File.Move(left, path);
        }

        WholeFile.Discard(left);
    }

    private static string Prefix(string path) => $".holdfast-{WholeFile.MarkOf(path)}-";

    /// <summary>A file and its content, as far as the system tells them apart. The owner and the mode are not the content's.</summary>
    private static string Text(FileStatus status) =>
        string.Create(CultureInfo.InvariantCulture, $"{status.Device:x}.{status.Inode:x}.{status.Size:x}.{status.ModifiedNanoseconds:x}");
}
