using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Processes;

public sealed class FileLockTests
{
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
