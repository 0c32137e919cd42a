using Holdfast.Engine.Recovery;

namespace Holdfast.Tests.Recovery;

/// <summary>What a write that was cut short leaves behind.</summary>
public sealed class TornFilesTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("holdfast-torn-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Fact]
    public void Temporary_names_go_and_everything_else_stays_links_and_folders_among_it()
    {
        string target = Path.Combine(_data, "target");
        foreach (string name in (string[])["token.tmp", "server.json.tmp", "token", "notes.tmpl", "target"])
        {
            File.WriteAllText(Path.Combine(_data, name), "x");
        }

        Directory.CreateDirectory(Path.Combine(_data, "folder.tmp"));
        Directory.CreateDirectory(Path.Combine(_data, "attempts"));
        File.WriteAllText(Path.Combine(_data, "attempts", "exit.json.tmp"), "a supervisor may be writing it");
        File.CreateSymbolicLink(Path.Combine(_data, "link.tmp"), target);

        Assert.Equal(2, TornFiles.Remove(_data));

        Assert.Equal(
            ["attempts", "folder.tmp", "link.tmp", "notes.tmpl", "target", "token"],
            Directory.EnumerateFileSystemEntries(_data).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
        Assert.True(File.Exists(Path.Combine(_data, "attempts", "exit.json.tmp")));
    }
}
