using System.Runtime.InteropServices;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Processes;

/// <summary>What lies in the place of a small file, or of the temporary one that becomes it.</summary>
public sealed partial class PlainFileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("holdfast-plain-");

    private string Path => System.IO.Path.Join(_folder.FullName, "file.json");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_fifo_a_folder_and_a_file_that_is_too_large_are_refused_at_once()
    {
        Assert.Throws<FileNotFoundException>(() => PlainFile.Read(Path, 10));
        Assert.Equal(0, MakeFifo(Path, 0x180));
        Assert.Contains("not a plain file", Assert.Throws<IOException>(() => PlainFile.Read(Path, 10)).Message, StringComparison.Ordinal);
        File.Delete(Path);
        Directory.CreateDirectory(Path);
        Assert.Throws<IOException>(() => PlainFile.Read(Path, 10));
        Directory.Delete(Path);
        File.WriteAllText(Path, "0123456789");
        Assert.Equal("0123456789"u8, PlainFile.Read(Path, 10));
        Assert.Throws<IOException>(() => PlainFile.Read(Path, 9));
    }

    /// <summary>A durable write never goes through what it finds under its temporary name, and needs no such name to be free.</summary>
    [Fact]
    public void A_link_a_fifo_or_a_folder_under_the_temporary_name_is_not_written_through()
    {
        string outside = System.IO.Path.Join(_folder.FullName, "outside");
        File.WriteAllText(outside, "not ours");
        File.CreateSymbolicLink(Path + ".tmp", outside);
        DurableFile.Write(Path, "one"u8);
        Assert.Equal(("one", "not ours"), (File.ReadAllText(Path), File.ReadAllText(outside)));
        Assert.Equal(0, MakeFifo(Path + ".tmp", 0x180));
        DurableFile.Write(Path, "two"u8);
        Assert.Equal("two"u8, PlainFile.Read(Path, 10));
        Directory.CreateDirectory(Path + ".tmp");
        DurableFile.Write(Path, "three"u8);
        Assert.Equal("three", File.ReadAllText(Path));
        File.WriteAllText(Path + ".other.tmp", "left by a death");
        DurableFile.Write(Path, "four"u8);
        Assert.Equal("four", File.ReadAllText(Path));
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
