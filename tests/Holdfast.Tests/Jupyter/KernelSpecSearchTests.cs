using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Jupyter;

public sealed class KernelSpecSearchTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("holdfast-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void The_folders_are_searched_in_jupyters_order()
    {
        IReadOnlyList<string> directories = Directories(
            ("JUPYTER_PATH", "/a:/b/"),
            ("HOME", "/home/ann"),
            ("CONDA_PREFIX", "/conda"),
            ("CONDA_DEFAULT_ENV", "base")
        );

        Assert.Equal(
            [
                "/a/kernels",
                "/b/kernels",
                "/home/ann/.local/share/jupyter/kernels",
                "/conda/share/jupyter/kernels",
                "/usr/local/share/jupyter/kernels",
                "/usr/share/jupyter/kernels",
                "/home/ann/.ipython/kernels",
            ],
            directories
        );
    }

    [Fact]
    public void An_active_environment_comes_before_the_users_folder_unless_told_otherwise()
    {
        Assert.Equal("/venv/share/jupyter/kernels", Directories(("HOME", "/home/ann"), ("VIRTUAL_ENV", "/venv"))[0]);
        Assert.Equal(
            "/home/ann/.local/share/jupyter/kernels",
            Directories(("HOME", "/home/ann"), ("VIRTUAL_ENV", "/venv"), ("JUPYTER_PREFER_ENV_PATH", "0"))[0]
        );
    }

    [Fact]
    public void The_users_folder_can_be_moved()
    {
        Assert.Equal("/data/jupyter/kernels", Directories(("HOME", "/home/ann"), ("XDG_DATA_HOME", "/data"))[0]);
        Assert.Equal("/jd/kernels", Directories(("HOME", "/home/ann"), ("XDG_DATA_HOME", "/data"), ("JUPYTER_DATA_DIR", "/jd"))[0]);
    }

    [Fact]
    public void The_first_folder_wins_and_names_are_compared_without_case()
    {
        Write("one", "Python3", """{"argv":["first"],"display_name":"First","language":"python"}""");
        Write("two", "python3", """{"argv":["second"],"display_name":"Second","language":"python"}""");
        Write("two", "other", """{"argv":["third"],"display_name":"Third","language":"r","interrupt_mode":"message"}""");

        KernelSpecListing listing = Search();

        Assert.Equal(["other", "python3"], listing.Specs.Select(static s => s.Name));
        Assert.Equal("First", listing.Find("PYTHON3")!.DisplayName);
        Assert.Equal("message", listing.Find("other")!.InterruptMode);
        Assert.Equal("signal", listing.Find("python3")!.InterruptMode);
        Assert.Null(listing.Find("absent"));
        Assert.Empty(listing.Broken);
    }

    [Theory]
    [InlineData("{", "valid JSON at line 1")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("{}", "argv")]
    [InlineData("""{"argv":["a"],"interrupt_mode":"shout"}""", "shout")]
    [InlineData("""{"argv":["a"],"env":{"X":1}}""", "env.X")]
    public void A_broken_spec_is_reported_with_its_reason_and_hides_no_other(string json, string reason)
    {
        Write("one", "bad", json);
        Write("one", "good", """{"argv":["x"]}""");

        KernelSpecListing listing = Search();

        Assert.Equal("good", Assert.Single(listing.Specs).Name);
        BrokenKernelSpec broken = Assert.Single(listing.Broken);
        Assert.Equal("bad", broken.Name);
        Assert.Contains(reason, broken.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_jupyter_refuses_is_reported_and_a_folder_without_kernel_json_is_none()
    {
        Write("one", "my kernel", """{"argv":["x"]}""");
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "one", "kernels", "empty"));

        KernelSpecListing listing = Search();

        Assert.Empty(listing.Specs);
        Assert.Equal("my kernel", Assert.Single(listing.Broken).Name);
    }

    [Fact]
    public void Placeholders_and_a_bare_python_are_resolved_by_where_the_spec_lies()
    {
        string prefix = Path.Combine(_folder.FullName, "env");
        string resource = Path.Combine(prefix, "share", "jupyter", "kernels", "python3");
        Directory.CreateDirectory(Path.Combine(prefix, "bin"));
        File.WriteAllText(Path.Combine(prefix, "bin", "python"), "");

        string[] argv = KernelSpec
            .Parse("python3", resource, """{"argv":["python","{resource_dir}/k.py","{prefix}/x","{connection_file}"]}""")
            .ResolveArgv();

        Assert.Equal([prefix + "/bin/python", resource + "/k.py", prefix + "/x", "{connection_file}"], argv);
        Assert.Equal("python", KernelSpec.Parse("python3", "/elsewhere/python3", """{"argv":["python"]}""").ResolveArgv()[0]);
    }

    [Fact]
    public void Variables_in_the_environment_are_replaced_as_python_does()
    {
        KernelSpec spec = KernelSpec.Parse(
            "k",
            "/k",
            """{"argv":["x"],"env":{"A":"${HOME}/b:$HOME:$$HOME:${NONE}:$ :${HOME","B":"plain"}}"""
        );

        Dictionary<string, string> resolved = spec.ResolveEnvironment(new Dictionary<string, string> { ["HOME"] = "/h" });

        Assert.Equal("/h/b:/h:$HOME:${NONE}:$ :${HOME", resolved["A"]);
        Assert.Equal("plain", resolved["B"]);
    }

    [Theory]
    [InlineData("""{"argv":["/usr/bin/python3","-m","ipykernel_launcher","-f","{connection_file}"]}""", "ipc")]
    [InlineData("""{"argv":["/opt/bin/xpython","-f","{connection_file}"]}""", "ipc")]
    [InlineData("""{"argv":["R","--slave","-e","IRkernel::main()"]}""", "tcp")]
    [InlineData("""{"argv":["R"],"metadata":{"holdfast":{"transport":"ipc"}}}""", "ipc")]
    [InlineData("""{"argv":["python","-m","ipykernel"],"metadata":{"holdfast":{"transport":"tcp"}}}""", "tcp")]
    public void Ipc_is_used_where_the_kernel_is_known_to_speak_it(string json, string transport) =>
        Assert.Equal(transport, KernelSpec.Parse("k", "/k", json).Transport);

    private static IReadOnlyList<string> Directories(params (string Name, string Value)[] variables) =>
        KernelSpecSearch.Directories(name => variables.FirstOrDefault(v => v.Name == name).Value);

    private KernelSpecListing Search() =>
        KernelSpecSearch.Search([
            Path.Combine(_folder.FullName, "one", "kernels"),
            Path.Combine(_folder.FullName, "two", "kernels"),
            Path.Combine(_folder.FullName, "none"),
        ]);

    private void Write(string root, string name, string json)
    {
        string resource = Path.Combine(_folder.FullName, root, "kernels", name);
        Directory.CreateDirectory(resource);
        File.WriteAllText(Path.Combine(resource, "kernel.json"), json);
    }
}
