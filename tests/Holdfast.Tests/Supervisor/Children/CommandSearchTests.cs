using Holdfast.Supervisor.Children;

namespace Holdfast.Tests.Supervisor.Children;

public sealed class CommandSearchTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-path").FullName;

    public CommandSearchTests()
    {
        Put("a/tool", isExecutable: false);
        Put("b/tool", isExecutable: true);
        Put("b/plain", isExecutable: false);
        Directory.CreateDirectory(_folder + "/a/folder");
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_later_folder_wins_over_one_whose_file_may_not_be_run() =>
        Assert.Equal(_folder + "/b/tool", Find("tool", $"PATH={_folder}/a:{_folder}/b"));

    [Fact]
    public void Folders_of_the_path_may_be_relative_to_where_the_command_runs()
    {
        Assert.Equal("b/tool", Find("tool", "PATH=b"));
        Assert.Equal("./tool", Find("tool", "PATH=:/nowhere", _folder + "/b"));
        Assert.Equal("b/tool", Find("b/tool", "PATH=/nowhere"));
    }

    [Fact]
    public void What_is_missing_is_127_and_what_may_not_be_run_126()
    {
        Assert.Equal((null, 127), Failure("nothing", $"PATH={_folder}/a:{_folder}/b"));
        Assert.Equal((null, 126), Failure("plain", $"PATH={_folder}/a:{_folder}/b"));
        Assert.Equal((null, 126), Failure("folder", $"PATH={_folder}/a"));
        Assert.Equal((null, 127), Failure("./nothing", "PATH=/bin"));
        Assert.Equal((null, 126), Failure("a/folder", "PATH=/bin"));
        Assert.Equal((null, 127), Failure("", "PATH=/bin"));
    }

    [Fact]
    public void Without_a_path_the_systems_own_is_searched() =>
        Assert.Equal("/bin/sh", CommandSearch.Find("sh", "/", ["PATHS=/nowhere"], out _, out _));

    private string? Find(string command, string path, string? directory = null) =>
        CommandSearch.Find(command, directory ?? _folder, ["HOME=/", path], out _, out _);

    private (string? Found, int ExitCode) Failure(string command, string path) =>
        (CommandSearch.Find(command, _folder, [path], out int exitCode, out string reason), reason.Length > 0 ? exitCode : 0);

    private void Put(string path, bool isExecutable)
    {
        string full = Path.Combine(_folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, "#!/bin/sh\n");
        File.SetUnixFileMode(full, UnixFileMode.UserRead | (isExecutable ? UnixFileMode.UserExecute : UnixFileMode.None));
    }
}
