using Holdfast.Server.Metrics;

namespace Holdfast.Tests.Metrics;

public sealed class ProcFolderTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(1500)] // Several reads.
    public void Everything_in_a_folder_is_counted_but_the_folder_itself(int count)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("holdfast-folder");
        try
        {
            for (int i = 0; i < count; i++)
            {
                File.CreateSymbolicLink(Path.Combine(folder.FullName, $"{i}"), "/nowhere");
            }

            Assert.Equal(count, ProcFolder.Count(folder.FullName));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void A_folder_that_is_not_there_holds_nothing() => Assert.Equal(0, ProcFolder.Count("/proc/self/no-such-folder"));
}
