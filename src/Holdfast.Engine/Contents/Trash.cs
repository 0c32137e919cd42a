using System.Globalization;
using System.Text;

namespace Holdfast.Engine.Contents;

/// <summary>
/// A freedesktop.org trash folder: an entry is moved to <c>files/</c> once a note in <c>info/</c> says where it was, so that file managers
/// can put it back. Trash specification 1.0, specifications.freedesktop.org/trash-spec.
/// </summary>
public sealed class Trash(string folder, TimeProvider time)
{
    /// <summary>False when it lies on another disk than the trash, or the trash cannot be made: nothing was moved.</summary>
    internal bool TryTake(Place place, EntryStatus status)
    {
        string files = Path.Combine(folder, "files");
        string notes = Path.Combine(folder, "info");
        try
        {
            Directory.CreateDirectory(files, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Directory.CreateDirectory(notes, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (EntryStatus.Of(files)?.Device != status.Device)
            {
                return false;
            }

            string name = Reserve(notes, files, place);
            int errno = PosixFiles.RenameNew(place.Access, Path.Combine(files, name));
            if (errno != 0)
            {
                File.Delete(NoteOf(notes, name));
            }

            return errno == 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // A home that cannot be written must not keep anybody from deleting a file.
        }
    }

    /// <summary>Writes the note under a free name, which reserves it: two that are trashed at once get two names.</summary>
    private string Reserve(string notes, string files, Place place)
    {
        string note = string.Create(
            CultureInfo.InvariantCulture,
            $"[Trash Info]\nPath={string.Join('/', place.RealPath.Split('/').Select(Uri.EscapeDataString))}\nDeletionDate={time.GetLocalNow():yyyy-MM-dd'T'HH:mm:ss}\n"
        );
        for (int number = 1; ; number++)
        {
            string name =
                number == 1
                    ? place.Name
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"{Path.GetFileNameWithoutExtension(place.Name)}.{number}{Path.GetExtension(place.Name)}"
                    );
            if (EntryStatus.Of(Path.Combine(files, name)) is not null || File.Exists(NoteOf(notes, name)))
            {
                continue;
            }

            using FileStream file = new(NoteOf(notes, name), FileMode.CreateNew, FileAccess.Write);
            file.Write(Encoding.UTF8.GetBytes(note));
            return name;
        }
    }

    private static string NoteOf(string notes, string name) => Path.Combine(notes, name + ".trashinfo");
}
