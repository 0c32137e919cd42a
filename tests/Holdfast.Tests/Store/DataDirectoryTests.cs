using System.Globalization;
using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;

namespace Holdfast.Tests.Store;

public sealed class DataDirectoryTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly string _parent = Directory.CreateTempSubdirectory("holdfast-data-").FullName;

    private string Root => Path.Combine(_parent, "data");

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Theory]
    [InlineData("/given", "/asked/for", "/asked/for")]
    [InlineData("/given", null, "/given")]
    [InlineData("", null, "/state/holdfast")]
    [InlineData(null, null, "/state/holdfast")]
    public void The_directory_is_what_was_asked_for_or_given_or_the_state_home(string? given, string? asked, string expected) =>
        Assert.Equal(
            expected,
            DataDirectoryPaths.Resolve(asked, Variables(("HOLDFAST_DATA", given), ("XDG_STATE_HOME", "/state"), ("HOME", "/home/ann"))).Root
        );

    [Theory]
    [InlineData(null)]
    [InlineData("relative/is/ignored")]
    public void Without_a_state_home_it_lies_under_the_home_directory(string? stateHome) =>
        Assert.Equal(
            "/home/ann/.local/state/holdfast",
            DataDirectoryPaths.Resolve(null, Variables(("XDG_STATE_HOME", stateHome), ("HOME", "/home/ann"))).Root
        );

    [Fact]
    public void Everything_created_is_private_to_its_owner()
    {
        using DataDirectory data = Open();
        data.Announce("http://127.0.0.1:8787", "0.1.0");

        Assert.All(
            Directory.GetDirectories(_parent, "*", SearchOption.AllDirectories),
            path => Assert.Equal(OwnerOnly, File.GetUnixFileMode(path))
        );
        Assert.All(Directory.GetFiles(Root), path => Assert.Equal(OwnerFile, File.GetUnixFileMode(path)));
        Assert.Equal(["assets", "attempts", "run"], Directory.GetDirectories(Root).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void An_empty_directory_that_others_may_read_is_closed_to_them()
    {
        _ = Directory.CreateDirectory(Root, OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead);

        using DataDirectory data = Open();

        Assert.Equal(OwnerOnly, File.GetUnixFileMode(Root));
    }

    [Fact]
    public void The_mode_of_a_directory_with_other_peoples_things_is_left_alone()
    {
        UnixFileMode mode = OwnerOnly | UnixFileMode.GroupRead;
        _ = Directory.CreateDirectory(Root, mode);
        File.SetUnixFileMode(Root, mode);
        File.WriteAllText(Path.Combine(Root, "thesis.tex"), "");

        using DataDirectory data = Open();

        Assert.Equal(mode, File.GetUnixFileMode(Root));
    }

    [Fact]
    public void The_token_is_made_once_and_kept()
    {
        string token;
        using (DataDirectory first = Open())
        {
            token = first.Token;
        }

        using DataDirectory second = Open();

        Assert.Matches("^[0-9a-f]{64}$", token);
        Assert.Equal(token, second.Token);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\0\0\0\0\0\0\0\0")]
    [InlineData("\u00e9\u0001 nobody can send this")]
    public void A_token_that_nobody_could_send_is_replaced(string damaged)
    {
        using (Open()) { }
        File.WriteAllText(Path.Combine(Root, "token"), damaged);

        using DataDirectory data = Open();

        Assert.Matches("^[0-9a-f]{64}$", data.Token);
        Assert.Equal(data.Token, File.ReadAllText(Path.Combine(Root, "token")).Trim());
    }

    [Fact]
    public void An_operators_token_is_kept_and_closed_to_others()
    {
        _ = Directory.CreateDirectory(Root);
        string file = Path.Combine(Root, "token");
        File.WriteAllText(file, "chosen by hand\n");
        File.SetUnixFileMode(file, OwnerFile | UnixFileMode.OtherRead);

        using DataDirectory data = Open();

        Assert.Equal("chosen by hand", data.Token);
        Assert.Equal(OwnerFile, File.GetUnixFileMode(file));
    }

    [Fact]
    public void A_second_server_is_refused_and_told_of_the_first()
    {
        using DataDirectory first = Open();
        first.Announce("http://127.0.0.1:4711", "0.1.0");

        DataDirectoryException error = Assert.Throws<DataDirectoryException>(() => Open());

        Assert.Equal(ErrorCodes.DataDirectoryInUse, error.Code);
        Assert.Contains("http://127.0.0.1:4711", error.Message, StringComparison.Ordinal);
        Assert.Contains(Environment.ProcessId.ToString(CultureInfo.InvariantCulture), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_server_is_refused_also_before_the_first_has_an_address()
    {
        using DataDirectory first = Open();

        DataDirectoryException error = Assert.Throws<DataDirectoryException>(() => Open());

        Assert.Equal(ErrorCodes.DataDirectoryInUse, error.Code);
        Assert.Contains("just starting", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_left_by_a_dead_server_names_nobody_and_goes_at_the_next_start()
    {
        var paths = new DataDirectoryPaths(Root);
        _ = Directory.CreateDirectory(Root);
        new ServerRecord("http://127.0.0.1:1", ProcessIdentity.Current with { StartTicks = 1 }, "0.0.1").Write(paths.ServerRecord);

        Assert.Null(ServerRecord.FindLive(paths));
        using DataDirectory data = Open();
        Assert.False(File.Exists(paths.ServerRecord));
    }

    /// <summary>As from another container: its processes have other pids there, or none.</summary>
    [Fact]
    public void A_server_whose_process_cannot_be_seen_is_known_by_its_lock_and_its_record()
    {
        var paths = new DataDirectoryPaths(Root);
        using (DataDirectory data = Open())
        {
            Assert.Null(ServerRecord.FindLive(paths)); // It does not listen yet.
            new ServerRecord("http://127.0.0.1:1", ProcessIdentity.Current with { StartTicks = 1 }, "0.1.0").Write(paths.ServerRecord);
            Assert.Equal("http://127.0.0.1:1", ServerRecord.FindLive(paths)?.Url);
            Assert.Contains("http://127.0.0.1:1", Assert.Throws<DataDirectoryException>(() => Open()).Message, StringComparison.Ordinal);
        }

        new ServerRecord("http://127.0.0.1:1", ProcessIdentity.Current with { StartTicks = 1 }, "0.1.0").Write(paths.ServerRecord);
        Assert.Null(ServerRecord.FindLive(paths));
    }

    [Fact]
    public void What_the_runtime_of_a_killed_server_left_goes_at_the_next_start_and_nobody_elses_does()
    {
        var paths = new DataDirectoryPaths(Root);
        _ = Directory.CreateDirectory(Root);
        string temporary = Directory.CreateDirectory(Path.Combine(_parent, "tmp")).FullName;
        var dead = new ProcessIdentity(ProcessIdentity.Current.BootId, ProcessIdentity.Current.Pid, 1);
        new ServerRecord("http://127.0.0.1:1", dead, "0.1.0").Write(paths.ServerRecord);
        string ours = SocketAt(Path.Combine(temporary, $"dotnet-diagnostic-{dead.Pid}-1-socket"));
        string[] others =
        [
            SocketAt(Path.Combine(temporary, $"dotnet-diagnostic-{dead.Pid}-12-socket")),
            SocketAt(Path.Combine(temporary, $"dotnet-diagnostic-{dead.Pid}-{ProcessIdentity.Current.StartTicks}-socket")),
        ];
        string plain = Path.Combine(temporary, $"clr-debug-pipe-{dead.Pid}-1-in"); // A file, and so not the runtime's.
        File.WriteAllText(plain, "mine");

        using DataDirectory data = DataDirectory.Open(paths, Variables(("TMPDIR", temporary), ("XDG_RUNTIME_DIR", _parent)));

        Assert.False(File.Exists(ours));
        Assert.All([.. others, plain], static path => Assert.True(File.Exists(path)));
    }

    [Fact]
    public void The_record_is_there_while_the_server_listens()
    {
        var paths = new DataDirectoryPaths(Root);
        using (DataDirectory data = Open())
        {
            data.Announce("http://127.0.0.1:8787", "0.1.0");

            Assert.Equal(new ServerRecord("http://127.0.0.1:8787", ProcessIdentity.Current, "0.1.0"), ServerRecord.FindLive(paths));
        }

        Assert.False(File.Exists(paths.ServerRecord));
        using DataDirectory next = Open();
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"url\":\"http://x\"}")]
    [InlineData("{\"url\":7,\"pid\":\"seven\"}")]
    [InlineData("{\"url\":\"http://x\",\"bootId\":\"b\",\"pid\":7000000000}")]
    public void A_record_that_is_not_whole_is_no_record(string content)
    {
        string file = Path.Combine(_parent, "server.json");
        File.WriteAllText(file, content);

        Assert.Null(ServerRecord.Read(file));
    }

    [Fact]
    public void A_records_unknown_fields_are_passed_over()
    {
        string file = Path.Combine(_parent, "server.json");
        File.WriteAllText(file, """{"later":{"a":[1]},"url":"http://x","pid":7,"startTicks":8,"bootId":"b","version":"9"}""");

        Assert.Equal(new ServerRecord("http://x", new ProcessIdentity("b", 7, 8), "9"), ServerRecord.Read(file));
    }

    [Fact]
    public void A_path_that_cannot_be_a_directory_is_refused_by_name_and_owner()
    {
        string file = Path.Combine(_parent, "file");
        File.WriteAllText(file, "");

        DataDirectoryException error = Assert.Throws<DataDirectoryException>(() => Open(Path.Combine(file, "data")));

        Assert.Equal(ErrorCodes.DataDirectoryNotWritable, error.Code);
        Assert.Contains($"{file} belongs to ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"(uid {Libc.GetUid()})", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void What_cannot_be_used_of_our_own_directory_is_named_and_nobody_is_sent_to_another_owner()
    {
        _ = Directory.CreateDirectory(Path.Combine(Root, "token", "in the way"));

        DataDirectoryException error = Assert.Throws<DataDirectoryException>(() => Open());

        Assert.Equal(ErrorCodes.DataDirectoryNotWritable, error.Code);
        Assert.StartsWith(
            $"Something in the data directory {Root}, which is yours, cannot be read or written: ",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.Contains(Path.Combine(Root, "token"), error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("belongs to", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_that_cannot_be_written_down_is_a_refusal_that_says_what_to_do()
    {
        using DataDirectory data = Open();
        _ = Directory.CreateDirectory(Path.Combine(Root, "server.json", "in the way"));

        DataDirectoryException error = Assert.Throws<DataDirectoryException>(() => data.Announce("http://127.0.0.1:1", "1"));

        Assert.Equal(ErrorCodes.DataDirectoryNotWritable, error.Code);
    }

    [Fact]
    public void A_directory_without_permission_to_write_is_refused()
    {
        Assert.SkipWhen(Libc.GetUid() == 0, "root may write everywhere");
        _ = Directory.CreateDirectory(Root, UnixFileMode.UserRead | UnixFileMode.UserExecute);

        Assert.Equal(ErrorCodes.DataDirectoryNotWritable, Assert.Throws<DataDirectoryException>(() => Open()).Code);
    }

    [Fact]
    public void Sockets_lie_in_the_data_directory_while_the_path_is_short_enough()
    {
        using DataDirectory data = Open();

        Assert.Equal(Path.Combine(Root, "run", "k7f3a9c1b2d4.sock"), data.Socket("k7f3a9c1b2d4"));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Socket("k7f3a9c1b2d4e"));
    }

    [Fact]
    public void A_deep_data_directory_has_its_sockets_in_a_private_folder_that_the_next_server_finds_again()
    {
        string deep = Path.Combine(_parent, new string('d', 100));
        string runtime = Path.Combine(_parent, "r");
        _ = Directory.CreateDirectory(runtime, OwnerOnly);
        Func<string, string?> variables = Variables(("XDG_RUNTIME_DIR", runtime));
        string first;
        using (var data = DataDirectory.Open(new DataDirectoryPaths(deep), variables))
        {
            first = data.Socket("k7f3a9c1b2d4");
            Assert.StartsWith(runtime, first, StringComparison.Ordinal);
            Assert.InRange(first.Length, 1, SocketDirectory.PathBytesMax);
            Assert.Equal(OwnerOnly, File.GetUnixFileMode(data.Sockets));
        }

        using var next = DataDirectory.Open(new DataDirectoryPaths(deep), variables);
        Assert.Equal(first, next.Socket("k7f3a9c1b2d4"));
        Assert.NotEqual(SocketDirectory.Choose(new DataDirectoryPaths(deep + "x"), variables), next.Sockets);
    }

    [Fact]
    public void Without_a_runtime_directory_the_sockets_of_a_deep_one_lie_under_tmp() =>
        Assert.Matches(
            $"^/tmp/holdfast-{Libc.GetUid()}-[0-9a-f]{{16}}$",
            SocketDirectory.Choose(new DataDirectoryPaths("/" + new string('d', 200)), Variables())
        );

    [Fact]
    public void A_socket_folder_that_is_a_link_to_elsewhere_is_refused()
    {
        string link = Path.Combine(_parent, "link");
        _ = File.CreateSymbolicLink(link, Directory.CreateDirectory(Path.Combine(_parent, "target")).FullName);

        Assert.Equal(ErrorCodes.DataDirectoryNotWritable, Assert.Throws<DataDirectoryException>(() => SocketDirectory.Prepare(link)).Code);
    }

    private static Func<string, string?> Variables(params (string Name, string? Value)[] variables) =>
        name => variables.FirstOrDefault(variable => variable.Name == name).Value;

    /// <summary>A socket's file, which stays when nobody listens any more.</summary>
    private static string SocketAt(string path)
    {
        // A listener that is disposed takes its file away; renamed before, it stays.
        using var listener = new System.Net.Sockets.Socket(
            System.Net.Sockets.AddressFamily.Unix,
            System.Net.Sockets.SocketType.Stream,
            System.Net.Sockets.ProtocolType.Unspecified
        );
        listener.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path + ".new"));
        File.Move(path + ".new", path);
        return path;
    }

    private DataDirectory Open(string? root = null) => DataDirectory.Open(new DataDirectoryPaths(root ?? Root), Variables());
}
