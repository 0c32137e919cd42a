namespace Holdfast.Protocol.Link;

/// <summary>
/// The codes of <see cref="LinkMessageType.Refused"/>. Never renamed; docs/spec/supervisor-link.md says when each is given.
/// </summary>
public static class LinkCodes
{
    public const string NonceMismatch = "nonce-mismatch";
    public const string ProtocolUnsupported = "protocol-unsupported";
    public const string UnknownRequest = "unknown-request";
    public const string NotSupported = "not-supported";

    /// <summary>The request needs a live child, and there is none.</summary>
    public const string NotRunning = "not-running";

    /// <summary>The request needs an idle supervisor.</summary>
    public const string NotIdle = "not-idle";

    /// <summary>The supervisor will take no further attempt: descendants of the last one live on under it. It ends by itself.</summary>
    public const string Leaving = "leaving";

    /// <summary>
    /// The attempt to run has a supervisor.json, an exit.json or a held lock: it was taken before and must not start twice.
    /// </summary>
    public const string AlreadyTaken = "already-taken";

    public const string SpecInvalid = "spec-invalid";
    public const string DiskFull = "disk-full";
    public const string NotPausable = "not-pausable";
    public const string SignalInvalid = "signal-invalid";

    /// <summary>A window of that size does not exist: rows and columns go from 1 to 65535.</summary>
    public const string SizeInvalid = "size-invalid";

    public const string InputFull = "stdin-full";
    public const string InputClosed = "stdin-closed";
    public const string NoJournal = "no-journal";

    /// <summary>Kernels. The body is no multipart of header, parent, metadata and content, or its message id cannot be used.</summary>
    public const string MessageInvalid = "message-invalid";

    /// <summary>Kernels. Too many requests wait already; offer it again later.</summary>
    public const string QueueFull = "queue-full";

    /// <summary>Kernels. Nothing waits for input now: somebody has answered it, or it was interrupted.</summary>
    public const string InputNotRequested = "input-not-requested";

    public const string Failed = "failed";
}
