using System.Diagnostics;
using System.Globalization;
using System.Text;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Supervisor;

/// <summary>
/// A temporary folder for attempts and their sockets. On disposal it kills the supervisors it started, and whatever carries their attempts'
/// mark.
/// </summary>
public sealed class AttemptRoom : IDisposable
{
    private readonly List<Process> _supervisors = [];
    private readonly string _mark = Guid.NewGuid().ToString("N")[..12];
    private int _count;

    public AttemptRoom()
    {
        // Short, for the sockets lie in it.
        Folder = Path.Combine("/tmp", "hfs-" + _mark);
        Directory.CreateDirectory(Folder);
    }

    public string Folder { get; }

    /// <summary>Writes a spec into a new attempt folder.</summary>
    public AttemptSpec New(params string[] argv) => New(argv, spec => spec);

    public AttemptSpec New(string[] argv, Func<AttemptSpec, AttemptSpec> change)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"{_mark}-{++_count}");
        AttemptSpec spec = change(
            new AttemptSpec
            {
                Attempt = id,
                Kind = AttemptSpec.KindJob,
                Nonce = Guid.NewGuid().ToString("N"),
                Socket = Path.Combine(Folder, $"{_count}.sock"),
                Fence = 1,
                Argv = argv,
                Cwd = Folder,
                Environment = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8"],
                GraceMs = 5000,
            }
        );
        Directory.CreateDirectory(FolderOf(spec));
        File.WriteAllBytes(FilesOf(spec).Spec, spec.Write());
        return spec;
    }

    public string FolderOf(AttemptSpec spec) => Path.Combine(Folder, spec.Attempt);

    public AttemptFiles FilesOf(AttemptSpec spec) => new(FolderOf(spec));

    /// <summary>Starts a supervisor of its own for the attempt.</summary>
    public Process Start(AttemptSpec spec)
    {
        var start = new ProcessStartInfo(SupervisorBinary.Path, ["run", FolderOf(spec)]);
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        Process process = Process.Start(start)!;
        _supervisors.Add(process);
        return process;
    }

    /// <summary>Starts a supervisor and says hello to it.</summary>
    public LinkPeer StartAndGreet(AttemptSpec spec)
    {
        Start(spec);
        return LinkPeer.Connect(spec.Socket!, spec.Nonce);
    }

    public ExitRecord ExitOf(AttemptSpec spec) => ExitRecord.Read(File.ReadAllBytes(FilesOf(spec).Exit));

    public string Output(AttemptSpec spec, JournalChannel channel) => Output(FilesOf(spec).Journal, channel);

    public static string Output(string journal, JournalChannel channel)
    {
        using JournalReader reader = JournalReader.Open(journal);
        var output = new StringBuilder();
        while (reader.TryRead(out JournalRecord record))
        {
            if (record.Channel == channel)
            {
                output.Append(Encoding.UTF8.GetString(record.Payload.Span));
            }
        }

        return output.ToString();
    }

    public List<AttemptEvent> Events(AttemptSpec spec)
    {
        using JournalReader reader = JournalReader.Open(FilesOf(spec).Journal);
        var events = new List<AttemptEvent>();
        while (reader.TryRead(out JournalRecord record))
        {
            if (record.Channel == JournalChannel.Event)
            {
                events.Add(AttemptEvent.Read(record.Payload.Span));
            }
        }

        return events;
    }

    /// <summary>Waits until a file is there and has content.</summary>
    public static string WaitForFile(string path)
    {
        Until(() => File.Exists(path) && new FileInfo(path).Length > 0, $"{path} to appear");
        return File.ReadAllText(path);
    }

    /// <summary>For what other processes do without telling anybody: looks again and again until it is so.</summary>
    public static void Until(Func<bool> condition, string what) =>
        Assert.True(SpinWait.SpinUntil(condition, LinkPeer.TimeoutMs), $"Waited in vain for {what}.");

    /// <summary>Live processes, zombies aside, whose environment carries an attempt of this room.</summary>
    public List<int> Marked()
    {
        var marked = new List<int>();
        foreach (string folder in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out int pid))
            {
                continue;
            }

            try
            {
                if (
                    File.ReadAllText(folder + "/environ").Contains("HOLDFAST_ATTEMPT=" + _mark, StringComparison.Ordinal)
                    && ProcessStat.Of(pid) is { State: not ('Z' or 'X') }
                )
                {
                    marked.Add(pid);
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Gone, or another user's.
            }
        }

        return marked;
    }

    public void Dispose()
    {
        foreach (Process supervisor in _supervisors)
        {
            supervisor.Kill();
            supervisor.WaitForExit();
            supervisor.Dispose();
        }

        foreach (int pid in Marked())
        {
            _ = Libc.Kill(pid, Libc.SigKill);
        }

        Directory.Delete(Folder, recursive: true);
    }
}
