using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Processes;

public sealed partial class FileLockTests
{
    /// <summary>
    /// Goal: who let go holds nothing. Method: the descriptor is there a second time, as it is in a child between its fork and its exec.
    /// </summary>
    [Fact]
    public void A_lock_that_was_let_go_is_free_though_a_child_that_is_being_started_has_its_descriptor()
    {
        string directory = Directory.CreateTempSubdirectory("hf-").FullName;
        string path = Path.Combine(directory, "lock");
        FileLock held = FileLock.TryAcquire(path)!;
        int fd = int.Parse(
            Path.GetFileName(Directory.EnumerateFiles("/proc/self/fd").First(f => new FileInfo(f).LinkTarget == path)),
            System.Globalization.CultureInfo.InvariantCulture
        );
        int second = Duplicate(fd);
        held.Dispose();
        Assert.False(FileLock.IsHeld(path));
        using (FileLock? again = FileLock.TryAcquire(path))
        {
            Assert.NotNull(again);
        }

        _ = Libc.Close(second);
        Directory.Delete(directory, recursive: true);
    }

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int fd);

    [Fact]
    public void A_lock_is_held_by_one_until_it_lets_go()
    {
        string directory = Directory.CreateTempSubdirectory("hf-").FullName;
        string path = Path.Combine(directory, "lock");
        Assert.False(FileLock.IsHeld(path));
        Assert.False(File.Exists(path));
        using (FileLock? held = FileLock.TryAcquire(path))
        {
            Assert.NotNull(held);
            Assert.Null(FileLock.TryAcquire(path));
            Assert.True(FileLock.IsHeld(path));
        }

        Assert.False(FileLock.IsHeld(path));
        using FileLock? again = FileLock.TryAcquire(path);
        Assert.NotNull(again);
        again.Dispose();
        again.Dispose();
        Directory.Delete(directory, recursive: true);
    }
}
