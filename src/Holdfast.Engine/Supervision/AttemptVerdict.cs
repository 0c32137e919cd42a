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
/// 1. lock held: alive. 2. exit.json: ended. 3. no supervisor.json: never started. 4. an exit record in the journal: ended, though exit.json was
/// never written. 5. else lost.
/// A supervisor that was spawned but has not yet taken the lock is the one race; the verdict is therefore reached while
/// holding the lock ourselves, and "never started" is made true by writing the void mark, at which every supervisor turns back.
/// </summary>
public sealed record AttemptVerdict(AttemptFate Fate, ExitRecord? Exit, SupervisorRecord? Supervisor, string? Reason)
{
    public static AttemptVerdict Of(string directory)
    {
        var files = new AttemptFiles(directory);
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory); // So that the void mark has a place; the supervisor of a claim that never got this far cannot exist yet.
        }

        using FileLock? held = FileLock.TryAcquire(files.Lock);
        SupervisorRecord? supervisor = TryRead(files.Supervisor, static json => SupervisorRecord.Read(json));
        ExitRecord? exit = TryRead(files.Exit, static json => ExitRecord.Read(json));
        if (held is null)
        {
            return new AttemptVerdict(AttemptFate.Alive, exit, supervisor, null);
        }

        if (exit is not null)
        {
            return new AttemptVerdict(AttemptFate.Ended, exit, supervisor, null);
        }

        if (supervisor is null)
        {
            DurableFile.Write(files.Void, "{}"u8);
            return new AttemptVerdict(AttemptFate.NeverStarted, null, null, null);
        }

        if (JournalledExit.Read(files.Journal) is { } journalled)
        {
            return new AttemptVerdict(AttemptFate.Ended, journalled, supervisor, null);
        }

        string reason = supervisor.Process.BootId != ProcessIdentity.BootIdNow
            ? "The machine was restarted while it ran, so how it ended cannot be known."
            : File.Exists(files.Child)
                ? "Its supervisor was killed, so how it ended cannot be known."
                : "Its supervisor was killed as it was being started, so it may or may not have run.";
        return new AttemptVerdict(AttemptFate.Lost, null, supervisor, reason);
    }

    private static T? TryRead<T>(string path, Func<byte[], T> read)
        where T : class
    {
        try
        {
            return File.Exists(path) ? read(File.ReadAllBytes(path)) : null;
        }
        catch (AttemptFormatException)
        {
            // Small files are renamed into place whole; one that does not parse was damaged from outside and proves nothing.
            return null;
        }
    }
}
