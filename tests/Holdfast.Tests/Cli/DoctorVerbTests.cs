using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;
using Holdfast.Server.Cli.Doctor;

namespace Holdfast.Tests.Cli;

public sealed class DoctorVerbTests : IDisposable
{
    private readonly string _data = Directory.CreateTempSubdirectory("holdfast-doctor-").FullName;

    public void Dispose() => Directory.Delete(_data, recursive: true);

    [Theory]
    [InlineData("0::/system.slice/holdfast.service\n", "holdfast.service")]
    [InlineData("0::/user.slice/user-1000.slice/session-3.scope\n", null)]
    [InlineData("0::/\n", null)]
    public void The_unit_is_the_last_part_of_the_control_group(string cgroups, string? unit) =>
        Assert.Equal(unit, ServiceUnit.UnitOf(cgroups));

    [Theory]
    [InlineData("process", "[Service]\nKillMode=process\n")]
    [InlineData("mixed", "[Service]\nKillMode=process", "[Service]\nKillMode = mixed\n")]
    [InlineData(null, "[Service]\nExecStart=x\n#KillMode=process\n")]
    public void The_last_KillMode_counts(string? mode, params string[] texts) => Assert.Equal(mode, ServiceUnit.KillMode(texts));

    [Fact]
    public async Task A_damaged_store_is_a_problem()
    {
        File.SetUnixFileMode(_data, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(
            new DataDirectoryPaths(_data).Database,
            "This is no database, and long enough to be read as one: it has a header of its own.",
            TestContext.Current.CancellationToken
        );
        var cli = new CliRun();

        Assert.Equal(1, await cli.RunAsync("doctor", "--data", _data));
        Assert.Contains("PROBLEM store", cli.Terminal.Output, StringComparison.Ordinal);
        Assert.Contains("-> ", cli.Terminal.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void A_token_that_others_can_read_is_a_problem()
    {
        var paths = new DataDirectoryPaths(_data);
        File.WriteAllText(paths.Token, new string('s', 64));
        File.SetUnixFileMode(paths.Token, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Finding finding = Assert.Single(DataDirectoryChecks.All(paths), f => f.Subject == "token");
        Assert.Equal((Severity.Problem, $"chmod 600 {paths.Token}"), (finding.Severity, finding.Remedy));
    }

    [Fact]
    public void A_token_that_can_be_guessed_is_told()
    {
        var paths = new DataDirectoryPaths(_data);
        File.WriteAllText(paths.Token, "letmein");
        File.SetUnixFileMode(paths.Token, UnixFileMode.UserRead);

        Assert.Equal(Severity.Warning, Assert.Single(DataDirectoryChecks.All(paths), f => f.Subject == "token").Severity);
    }

    [Theory]
    [InlineData(50L << 30, 100L << 30, "Ok", "50.0 GiB free")]
    [InlineData(600L << 20, 100L << 30, "Warning", "600 MiB free; below 256 MiB no new work is taken")]
    [InlineData(200L << 20, 100L << 30, "Problem", "200 MiB free, and no new work is taken below 256 MiB")]
    [InlineData(60L << 20, 64L << 20, "Ok", "60 MiB free")] // A small disk, which the server is content with.
    [InlineData(300L << 10, 64L << 20, "Problem", "300 KiB free, and no new work is taken below 655 KiB")]
    public void A_disk_is_judged_as_the_server_judges_it(long free, long total, string severity, string text)
    {
        Finding finding = DataDirectoryChecks.Space(free, total);
        Assert.Equal((severity, text), (finding.Severity.ToString(), finding.Text));
    }

    [Fact]
    public void Journals_are_looked_at_plain_and_packed_and_the_damaged_one_is_named()
    {
        var paths = new DataDirectoryPaths(_data);
        Assert.Null(JournalChecks.Check(paths));
        string[] journals =
        [
            .. ((string[])["01aaaaaaaaaaaaaaaaaaaaaaaa", "01bbbbbbbbbbbbbbbbbbbbbbbb"]).Select(id =>
                Path.Combine(paths.Attempts, id, "journal")
            ),
        ];
        foreach (string journal in journals)
        {
            using var writer = JournalWriter.Open(Directory.CreateDirectory(journal).FullName, new JournalOptions());
            writer.Append(JournalChannel.Stdout, new byte[100_000], 0);
        }

        Assert.True(SegmentPacker.Pack(journals[0], 0, TestContext.Current.CancellationToken).IsPacked);
        Assert.Equal("2 segments, 1 of them packed; all begin as they should", JournalChecks.Check(paths)!.Text);

        foreach (string journal in journals)
        {
            using FileStream file = File.OpenWrite(JournalFormat.SegmentPath(journal, 0));
            file.Position = 20;
            file.Write(Enumerable.Repeat((byte)0xff, 24).ToArray());
        }

        Finding finding = JournalChecks.Check(paths)!;
        Assert.Equal(Severity.Problem, finding.Severity);
        Assert.Contains($"{JournalFormat.SegmentPath(journals[0], 0)} is packed and damaged", finding.Text, StringComparison.Ordinal);
        Assert.Contains($"{JournalFormat.SegmentPath(journals[1], 0)} has no head", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_to_be_made_is_judged_by_the_one_it_will_lie_in() =>
        Assert.Contains(
            DataDirectoryChecks.All(new DataDirectoryPaths(Path.Combine(_data, "a", "b"))),
            f => f.Severity == Severity.Ok && f.Text.EndsWith("can be made", StringComparison.Ordinal)
        );

    [Theory]
    [InlineData("no_such_module_of_anybody", "has no module no_such_module_of_anybody")]
    [InlineData("json.tool", null)]
    public void A_Python_without_the_module_that_its_kernelspec_runs_is_a_problem(string module, string? problem)
    {
        Assert.SkipUnless(File.Exists("/usr/bin/python3"), "There is no python here.");
        string folder = Directory.CreateDirectory(Path.Combine(_data, "kernels", "half")).FullName;
        File.WriteAllText(
            Path.Combine(folder, "kernel.json"),
            $$"""{"argv":["/usr/bin/python3","-m","{{module}}","{connection_file}"],"display_name":"Half","language":"python"}"""
        );

        Finding finding = Assert.Single(
            MachineChecks.Kernels(name => name == "JUPYTER_PATH" ? _data : Environment.GetEnvironmentVariable(name)),
            f => f.Text.StartsWith("half", StringComparison.Ordinal)
        );
        Assert.Equal(problem is null ? Severity.Ok : Severity.Problem, finding.Severity);
        Assert.Contains(problem ?? "Half", finding.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernelspec_whose_command_may_not_be_executed_is_a_problem()
    {
        string program = Path.Combine(_data, "kernel.sh");
        File.WriteAllText(program, "#!/bin/sh\n");
        string folder = Directory.CreateDirectory(Path.Combine(_data, "kernels", "locked")).FullName;
        File.WriteAllText(
            Path.Combine(folder, "kernel.json"),
            $$"""{"argv":["{{program}}","{connection_file}"],"display_name":"Locked","language":"none"}"""
        );

        Finding finding = Assert.Single(
            MachineChecks.Kernels(name => name == "JUPYTER_PATH" ? _data : null),
            f => f.Text.StartsWith("locked", StringComparison.Ordinal)
        );
        Assert.Equal(Severity.Problem, finding.Severity);
        Assert.StartsWith($"chmod +x {program}", finding.Remedy, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/home/me/data", "ext4", "Ok")]
    [InlineData("/run/me", "tmpfs", "Warning")]
    [InlineData("/mnt/shared disk/x", "nfs4", "Problem")]
    [InlineData("/mnt/shared disks", "ext4", "Ok")]
    public void The_kind_of_disk_is_that_of_the_nearest_mount(string path, string kind, string severity)
    {
        const string Mounts = "/dev/a / ext4 rw 0 0\ntmpfs /run tmpfs rw 0 0\nserver:/x /mnt/shared\\040disk nfs4 rw 0 0\n";
        Assert.Equal(kind, DiskKind.Of(path, Mounts));
        Assert.Equal(severity, DiskKind.Check(path, Mounts).Severity.ToString());
    }

    [Theory]
    [InlineData(90, UnixFileMode.None, "Ok")]
    [InlineData(90, UnixFileMode.GroupRead, "Ok")]
    [InlineData(90, UnixFileMode.OtherRead, "Ok Problem")]
    [InlineData(90, UnixFileMode.GroupWrite, "Ok Problem")]
    [InlineData(13, UnixFileMode.None, "Warning")]
    [InlineData(-1, UnixFileMode.None, "Problem")]
    public void A_certificate_that_ends_or_whose_key_is_open_is_told(int days, UnixFileMode open, string severities)
    {
        ServerRecord server = WithCertificate(days, open);

        Finding[] findings = [.. CertificateChecks.All(server, TimeProvider.System)];

        Assert.Equal(severities, string.Join(' ', findings.Select(static f => f.Severity)));
        Assert.All(findings, f => Assert.Equal("tls", f.Subject));
        Assert.Contains(server.CertificateFile!, findings[0].Text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_certificate_whose_files_have_gone_is_a_problem_and_a_server_without_one_has_none()
    {
        ServerRecord server = WithCertificate(90, UnixFileMode.None);
        File.Delete(server.CertificateKey!);

        Assert.Equal(Severity.Problem, Assert.Single(CertificateChecks.All(server, TimeProvider.System)).Severity);
        Assert.Empty(CertificateChecks.All(server with { CertificateFile = null, CertificateKey = null }, TimeProvider.System));
    }

    [Theory]
    [InlineData("1024", "4096", "32768", "max", "8192", "Ok")]
    [InlineData("1024", "1024", "32768", "max", "8192", "Warning: 1024 open files")]
    [InlineData(
        "unlimited",
        "unlimited",
        "32768",
        "700",
        "8192",
        "Warning: room for 400 more threads (pids.max of /system.slice/h.service)"
    )]
    [InlineData("4096", "4096", "600", "max", "8192", "Warning: room for 300 more threads (kernel.threads-max)")]
    [InlineData("4096", "4096", "32768", "max", "100", "Warning: few watches")]
    public void Low_limits_are_told(string soft, string hard, string threads, string tasks, string watches, string expected)
    {
        Put(
            "proc/self/limits",
            $"Limit  Soft Limit  Hard Limit  Units\nMax processes  unlimited  unlimited  processes\nMax open files  {soft}  {hard}  files\n"
        );
        Put("proc/loadavg", "0.10 0.20 0.30 2/300 4711\n");
        Put("proc/sys/kernel/threads-max", threads + "\n");
        Put("proc/sys/kernel/pid_max", "4194304\n");
        Put("proc/self/cgroup", "0::/system.slice/h.service\n");
        Put("sys/fs/cgroup/system.slice/h.service/pids.max", tasks + "\n");
        Put("sys/fs/cgroup/system.slice/h.service/pids.current", "300\n");
        Put("proc/sys/fs/inotify/max_user_watches", watches + "\n");

        Finding[] findings = [.. LimitChecks.All(_data, null)];

        Finding first = findings[0];
        Assert.StartsWith(expected, first.Severity == Severity.Ok ? "Ok" : $"{first.Severity}: {first.Text}", StringComparison.Ordinal);
        Assert.All(findings, f => Assert.Equal("limits", f.Subject));
    }

    [Fact]
    public void A_machine_that_says_nothing_of_its_limits_is_not_accused() =>
        Assert.DoesNotContain(LimitChecks.All(_data, 4711), f => f.Severity != Severity.Ok);

    private void Put(string path, string text)
    {
        string file = Path.Combine(_data, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }

    private ServerRecord WithCertificate(int days, UnixFileMode open)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256).CreateSelfSigned(
            now.AddDays(-30),
            now.AddDays(days)
        );
        Put("cert.pem", certificate.ExportCertificatePem());
        Put("key.pem", key.ExportPkcs8PrivateKeyPem());
        string keyFile = Path.Combine(_data, "key.pem");
        File.SetUnixFileMode(keyFile, UnixFileMode.UserRead | open);
        return new ServerRecord("https://127.0.0.1:1", ProcessIdentity.Current, "1")
        {
            CertificateSha256 = certificate.GetCertHashString(HashAlgorithmName.SHA256).ToLowerInvariant(),
            CertificateFile = Path.Combine(_data, "cert.pem"),
            CertificateKey = keyFile,
        };
    }

    [Fact]
    public void A_clock_that_was_set_back_is_a_problem()
    {
        var paths = new DataDirectoryPaths(_data);
        File.WriteAllText(paths.Database, "");
        File.SetLastWriteTimeUtc(paths.Database, DateTime.UnixEpoch.AddDays(20_001));

        Finding finding = ClockChecks.Check(paths, new Fakes.FakeClock());
        Assert.Equal(Severity.Problem, finding.Severity);
        Assert.Contains("set back", finding.Text, StringComparison.Ordinal);
        File.SetLastWriteTimeUtc(paths.Database, DateTime.UnixEpoch.AddDays(19_999));
        Assert.NotEqual(Severity.Problem, ClockChecks.Check(paths, new Fakes.FakeClock()).Severity);
    }

    [Theory]
    [InlineData("cpu io memory pids\n", "Ok")]
    [InlineData("cpu io\n", "Warning")]
    [InlineData(null, "Ok")]
    public void Control_groups_without_memory_are_told(string? controllers, string severity)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_data, "sys/fs/cgroup")).FullName;
        if (controllers is not null)
        {
            File.WriteAllText(Path.Combine(folder, "cgroup.controllers"), controllers);
        }

        Assert.Equal(severity, CgroupCheck.Check(_data).Severity.ToString());
    }

    [Fact]
    public void A_kernelspec_whose_command_is_missing_is_a_problem()
    {
        string folder = Directory.CreateDirectory(Path.Combine(_data, "kernels", "ghost")).FullName;
        File.WriteAllText(
            Path.Combine(folder, "kernel.json"),
            """{"argv":["no-such-program","{connection_file}"],"display_name":"Ghost","language":"none"}"""
        );

        Assert.Contains(
            MachineChecks.Kernels(name => name == "JUPYTER_PATH" ? _data : null),
            f => f.Severity == Severity.Problem && f.Text.Contains("no-such-program", StringComparison.Ordinal)
        );
    }
}
