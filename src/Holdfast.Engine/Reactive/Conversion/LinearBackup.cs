using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Conversion;

/// <summary>
/// Keeps a notebook as it was before its conversion, in the folder where Jupyter keeps checkpoints, which no listing shows. Jupyter writes
/// over its own checkpoint with every save, so this is a file beside it; one that is there already is never written over.
/// </summary>
internal static class LinearBackup
{
    private const string FolderName = ".ipynb_checkpoints";

    public static string Keep(string path)
    {
        string folder = Path.Combine(Path.GetDirectoryName(path)!, FolderName);
        try
        {
            Directory.CreateDirectory(folder);
            byte[] text = NotebookStorage.Read(path, out var status);
            string backup = Unused(folder, Path.GetFileNameWithoutExtension(path), Path.GetExtension(path));
            _ = WholeFile.Write(backup, backup, status, write => write(text));
            return backup;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RefusedException(
                ErrorCodes.NotebookNotWritable,
                $"The notebook as it is could not be kept in {folder}, so nothing was changed: {e.Message}"
            );
        }
    }

    private static string Unused(string folder, string name, string extension)
    {
        string path = Path.Combine(folder, $"{name}-linear{extension}");
        for (int number = 2; Path.Exists(path); number++)
        {
            path = Path.Combine(folder, $"{name}-linear-{number}{extension}");
        }

        return path;
    }
}
