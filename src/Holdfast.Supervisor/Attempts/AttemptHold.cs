using Holdfast.Protocol;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Attempts;

/// <summary>
/// An attempt taken by this process: its spec, and its lock from before supervisor.json is written until the hold is released. An attempt
/// is taken once, ever: who finds a supervisor.json refuses, because a dead one may have started the child; who finds the mark of a server
/// that gave it up turns back.
/// </summary>
internal sealed class AttemptHold : IDisposable
{
    private readonly FileLock _lock;

    private AttemptHold(AttemptFiles files, AttemptSpec spec, FileLock @lock)
    {
        Files = files;
        Spec = spec;
        _lock = @lock;
    }

    public AttemptFiles Files { get; }

    public AttemptSpec Spec { get; }

    /// <summary>
    /// Reads the spec and takes the lock; throws <see cref="HoldRefusedException"/> when the attempt cannot or may not be taken.
    /// </summary>
    public static AttemptHold Take(string directory)
    {
        var files = new AttemptFiles(directory);
        byte[] json = RawFile.Read(files.Spec) ?? throw new HoldRefusedException(LinkCodes.SpecInvalid, $"{files.Spec} cannot be read.");
        AttemptSpec spec;
        try
        {
            spec = AttemptSpec.Read(json);
        }
        catch (AttemptFormatException e)
        {
            throw new HoldRefusedException(LinkCodes.SpecInvalid, e.Message);
        }

        FileLock? held;
        try
        {
            held = FileLock.TryAcquire(files.Lock);
        }
        catch (IOException e)
        {
            throw new HoldRefusedException(e.HResult is Libc.Enospc or Libc.Edquot ? LinkCodes.DiskFull : LinkCodes.Failed, e.Message);
        }

        if (held is null)
        {
            throw new HoldRefusedException(LinkCodes.AlreadyTaken, $"Another process holds {files.Lock}.");
        }

        if (File.Exists(files.Void))
        {
            // A server found that nothing had started and gave the attempt up, under this lock: its work may run as another attempt by now.
            held.Dispose();
            throw new HoldRefusedException(
                LinkCodes.AlreadyTaken,
                $"The attempt in {directory} was given up before it was taken; it never starts."
            );
        }

        if (File.Exists(files.Supervisor) || File.Exists(files.Exit))
        {
            held.Dispose();
            throw new HoldRefusedException(
                LinkCodes.AlreadyTaken,
                $"The attempt in {directory} was taken before and may have run; it does not start twice."
            );
        }

        // A crash from here to the next point leaves a lock that nobody holds and no supervisor.json: the attempt never ran.
        CrashPoints.Reach(CrashPoint.SupervisorLocked);
        return new AttemptHold(files, spec, held);
    }

    /// <summary>
    /// Says who holds it. From here on a kill means that the child may have run. Not synced: after a restart of the machine nobody asks who
    /// held it (ADR 0010).
    /// </summary>
    public void WriteSupervisor(string socket)
    {
        var record = new SupervisorRecord
        {
            Protocol = LinkCodec.ProtocolVersion,
            Version = HoldfastVersion.Text,
            Process = SupervisorIdentity.Current,
            Nonce = Spec.Nonce,
            Socket = socket,
            Mode = Spec.Kind,
        };
        DurableFile.Replace(Files.Supervisor, record.Write());
        CrashPoints.Reach(CrashPoint.SupervisorRecorded);
    }

    /// <summary>Says which process the child is.</summary>
    public void WriteChild(ChildRecord child) => DurableFile.Replace(Files.Child, child.Write());

    /// <summary>Says how it ended. The journal's exit record, synced before, is the durable one.</summary>
    public void WriteExit(ExitRecord exit)
    {
        if (!Directory.Exists(Files.Directory))
        {
            // Somebody removed the attempt under us: there is no place for a record and nobody to read it.
            SupervisorLog.Write($"the folder {Files.Directory} is gone");
            return;
        }

        DurableFile.Replace(Files.Exit, exit.Write());
        CrashPoints.Reach(CrashPoint.SupervisorExitRecorded);
    }

    /// <summary>Releases the lock: the attempt is over, or never began.</summary>
    public void Dispose() => _lock.Dispose();
}

/// <summary>The attempt cannot be taken; the code is one of <see cref="LinkCodes"/>.</summary>
internal sealed class HoldRefusedException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
