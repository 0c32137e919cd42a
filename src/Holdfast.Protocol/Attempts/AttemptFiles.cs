namespace Holdfast.Protocol.Attempts;

/// <summary>The names inside one attempt's folder: the server writes <see cref="Spec"/>, the supervisor everything else.</summary>
public readonly record struct AttemptFiles(string Directory)
{
    /// <summary>More than any of the small files has; a command with its environment is the largest.</summary>
    public const int RecordBytesMax = 64 * 1024 * 1024;

    /// <summary>What to start; see <see cref="AttemptSpec"/>.</summary>
    public string Spec => Path.Combine(Directory, "spec.json");

    /// <summary>Held by flock from before <see cref="Supervisor"/> is written until the exit record is durable: held means alive.</summary>
    public string Lock => Path.Combine(Directory, "lock");

    /// <summary>
    /// Who supervises; durable before the child is launched. Present without <see cref="Child"/> means the child may have run.
    /// </summary>
    public string Supervisor => Path.Combine(Directory, "supervisor.json");

    /// <summary>The child's identity, written right after the spawn.</summary>
    public string Child => Path.Combine(Directory, "child.json");

    /// <summary>How it ended; durable before anyone is told. Its absence means unknown, never success and never failure.</summary>
    public string Exit => Path.Combine(Directory, "exit.json");

    /// <summary>
    /// Written by a server that holds the lock and found nothing started: a supervisor that comes late takes the lock, sees it and turns
    /// back, so that an attempt given up is never started after all.
    /// </summary>
    public string Void => Path.Combine(Directory, "void");

    /// <summary>The folder of the journal's segments.</summary>
    public string Journal => Path.Combine(Directory, "journal");

    /// <summary>Kernels: where it listens and the key to it, 0600; written before the kernel is started, deleted when it is gone.</summary>
    public string Connection => Path.Combine(Directory, "connection.json");

    /// <summary>The supervisor's own standard error.</summary>
    public string Log => Path.Combine(Directory, "supervisor.log");
}
