using System.Text;
using FsCheck.Fluent;
using Holdfast.Engine;
using Holdfast.Engine.Preferences;

namespace Holdfast.Tests.Preferences;

/// <summary>Documents by any name in one folder, and nowhere else.</summary>
public sealed class PreferenceFolderTests : IDisposable
{
    private readonly string _outer = Directory.CreateTempSubdirectory("holdfast-").FullName;
    private readonly PreferenceFolder _folder;

    public PreferenceFolderTests() => _folder = new PreferenceFolder(Path.Combine(_outer, "in"));

    public void Dispose() => Directory.Delete(_outer, recursive: true);

    [Fact]
    public void Any_name_is_kept_under_itself_and_in_the_folder() =>
        FsCheck.Check.QuickThrowOnFailure(
            Prop.ForAll<string>(name =>
            {
                if (string.IsNullOrEmpty(name) || name.Length > 20 || name.Any(char.IsSurrogate))
                {
                    return;
                }

                _folder.Change(name, static _ => "1"u8.ToArray());
                Assert.Equal("1", Encoding.UTF8.GetString(_folder.Find(name)!.Content));
                Assert.Contains(_folder.List(), p => p.Name == name);
                Assert.Equal([Path.Combine(_outer, "in")], Directory.GetFileSystemEntries(_outer));
                Assert.True(_folder.Delete(name));
            })
        );

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("@jupyterlab/apputils-extension:themes")]
    public void Names_that_look_like_paths_are_names(string name)
    {
        _folder.Change(name, static _ => "{}"u8.ToArray());

        string file = Assert.Single(Directory.GetFiles(_outer, "*", SearchOption.AllDirectories));
        Assert.Equal(Path.Combine(_outer, "in"), Path.GetDirectoryName(file));
        Assert.Equal(name, Assert.Single(_folder.List()).Name);
    }

    [Fact]
    public void A_change_sees_what_there_is_and_one_that_throws_changes_nothing()
    {
        _folder.Change("a", static kept => kept is null ? "1"u8.ToArray() : "?"u8.ToArray());
        Assert.Throws<RefusedException>(() => _folder.Change("a", static _ => throw new RefusedException("x", "y")));

        Assert.Equal("1", Encoding.UTF8.GetString(_folder.Find("a")!.Content));
        Assert.False(_folder.Delete("b"));
        Assert.Null(_folder.Find("b"));
        Assert.Throws<RefusedException>(() => _folder.Find(new string('x', 300)));
        Assert.Throws<RefusedException>(() => _folder.Find(""));
    }
}
