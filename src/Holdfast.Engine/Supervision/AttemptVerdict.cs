using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Supervision;

/// <summary>What an attempt's folder proves about it.</summary>
public enum AttemptFate
{
    /// <summary>Its supervisor holds the lock: it lives.</summary>
    Alive,

    /// <summary>The exit record is there: it ended, and how is known.</summary>
    Ended,

    /// <summary>Nothing was started under it, and nothing ever will be: the folder was made void under its lock.</summary>
    NeverStarted,

    /// <summary>It may have run; how it ended cannot be known.</summary>
    Lost,
}

/// <summary>
/// The verdict on one attempt, from its files alone:
/// 1. lock held: alive. 2. exit.json, or the exit record of the journal: ended. 3. it was claimed before the machine was restarted: lost,
/// whatever the folder says, since names that were not synced may be gone. 4. no supervisor.json: never started. 5. else lost.
/// A supervisor that was spawned but has not yet taken the lock is the one race; the verdict is therefore reached while holding the lock
/// ourselves, and "never started" is made true by writing the void mark, at which every supervisor turns back.
/// </summary>
public sealed record AttemptVerdict(AttemptFate Fate, ExitRecord? Exit, SupervisorRecord? Supervisor, string? Reason)
{
    /// <summary>Judges the folder of an attempt that was claimed in the machine's boot <paramref name="claimedInBoot"/>.</summary>
    public static AttemptVerdict Of(string directory, string claimedInBoot)
    {
        var files = new AttemptFiles(directory);
        Directory.CreateDirectory(directory); // A claim that got no further has none; the lock and the void mark need it.
        using FileLock? held = FileLock.TryAcquire(files.Lock);
        SupervisorRecord? supervisor = RecordOf(files.Supervisor, static json => SupervisorRecord.Read(json));
        if (held is null)
        {
            return new AttemptVerdict(AttemptFate.Alive, RecordOf(files.Exit, static json => ExitRecord.Read(json)), supervisor, null);
        }

        if (ExitOf(files) is { } exit)
        {
            return new AttemptVerdict(AttemptFate.Ended, exit, supervisor, null);
        }

        if (claimedInBoot != ProcessIdentity.BootIdNow)
        {
            return new AttemptVerdict(
                AttemptFate.Lost,
                null,
                supervisor,
                "The machine was restarted while it ran, so how it ended cannot be known."
            );
        }

        // Whatever lies there is not nothing: it may have run.
        if (!Path.Exists(files.Supervisor) && new FileInfo(files.Supervisor).LinkTarget is null)
        {
            DurableFile.Write(files.Void, "{}"u8);
            return new AttemptVerdict(AttemptFate.NeverStarted, null, null, null);
        }

        return new AttemptVerdict(
            AttemptFate.Lost,
            null,
            supervisor,
            File.Exists(files.Child)
                ? "Its supervisor was killed, so how it ended cannot be known."
                : "Its supervisor was killed as it was being started, so it may or may not have run."
        );
    }

    /// <summary>
    /// An exit.json that cannot be read now, but perhaps later, is no reason to call the work lost: then nothing is said here
    /// (IOException).
    /// </summary>
    private static ExitRecord? ExitOf(AttemptFiles files)
    {
        try
        {
            return TryRead(files.Exit, static json => ExitRecord.Read(json)) ?? JournalledExit.Read(files.Journal);
        }
        catch (IOException)
        {
            if (JournalledExit.Read(files.Journal) is { } exit)
            {
                return exit;
            }

            throw;
        }
    }

    /// <summary>
    /// A small file of the folder, where it is only one witness of several: null when it is missing or is not what it should be.
    /// </summary>
    internal static T? RecordOf<T>(string path, Func<byte[], T> read)
        where T : class
    {
        try
        {
            return TryRead(path, read);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static T? TryRead<T>(string path, Func<byte[], T> read)
        where T : class
    {
        try
        {
            return File.Exists(path) ? read(PlainFile.Read(path, AttemptFiles.RecordBytesMax)) : null;
        }
        catch (AttemptFormatException)
        {
            // Renamed into place whole; one that does not parse was emptied by a power cut or damaged from outside, and proves nothing.
            return null;
        }
    }
}
