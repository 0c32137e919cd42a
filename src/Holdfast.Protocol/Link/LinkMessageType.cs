namespace Holdfast.Protocol.Link;

/// <summary>
/// The messages of the supervisor link; docs/spec/supervisor-link.md has the fields of each. Requests (1 to 99) go from server to
/// supervisor, carry an id and are answered by <see cref="Done"/> or <see cref="Refused"/> with the same id. Notices (100 and up) come from
/// the supervisor. Numbers are never reused.
/// </summary>
public enum LinkMessageType : byte
{
    /// <summary>
    /// First on every connection: nonce, protocol, version. Anything else before it closes the connection. Answered by
    /// <see cref="Welcome"/>.
    /// </summary>
    Hello = 1,

    /// <summary>Answered by Done at once, from the poll loop: a supervisor that does not answer is hung, not dead.</summary>
    Ping = 2,

    /// <summary>
    /// Job supervisors that are idle: take the attempt in <c>directory</c> (its spec.json is there) under its lock and start it.
    /// </summary>
    Run = 3,

    /// <summary>Send <c>signal</c> to the child's whole process group.</summary>
    Signal = 4,

    Pause = 5,
    Resume = 6,

    /// <summary>
    /// Body: bytes for the child's standard input; <c>end</c> closes it afterwards. Done when taken into the buffer, refused (stdin-full)
    /// past its limit.
    /// </summary>
    StandardInput = 7,

    /// <summary>
    /// End the child and all its descendants: TERM (kernels: shutdown_request first), <c>graceMs</c>, KILL. <c>cause</c> goes into the exit
    /// record.
    /// </summary>
    Stop = 8,

    /// <summary>
    /// Stream the journal of <c>directory</c> (the current attempt when absent) as <see cref="Journal"/> frames from <c>position</c>, then
    /// live.
    /// </summary>
    Follow = 9,

    Unfollow = 10,

    /// <summary>Send <see cref="Appended"/> from now on whenever the journal has grown; coalesced to one per poll batch.</summary>
    Watch = 11,

    /// <summary>Kernels. Body: a multipart of unsigned frames (header, parent, metadata, content, buffers...). Queued and sent to the
    /// kernel one at a time, each when the one before has both its reply and its idle. A <c>messageId</c> that was already accepted is
    /// answered by Done and not sent again. With <c>stopOnError</c>, an error reply drops what is queued in the same <c>group</c>, each
    /// with a <c>skipped</c> event in the journal. The group then stays closed to requests whose sender had not read of the error: whose
    /// <c>position</c> (how far it had read the journal; 0 when it does not say) lies before it. So a request that was under way when the
    /// error happened is skipped too, and one that is sent in spite of it runs. With <c>after</c> it is one of a cascade: when its turn
    /// comes and one of the requests that <c>after</c> names was accepted here and did not end well (an error reply to a request with
    /// <c>stopOnError</c>, or it was skipped), it is skipped itself, with that request as the event's <c>upstream</c>; an error skips no
    /// other. An interrupt of a cascade's request skips what waits of its group, and closes the group as above.
    /// An outcome is synced before <see cref="Appended"/> shows it.</summary>
    Execute = 12,

    /// <summary>Kernels. Body as above; sent at once on <c>channel</c> (shell, control or stdin), past the queue. On stdin it answers the
    /// pending input_request, once; a second answer is refused. An answer to a password prompt is not in the journal.</summary>
    Send = 13,

    /// <summary>Kernels. Take <c>messageId</c>, or all of <c>group</c>, out of the queue; what is already sent stays. Dropped ones get a
    /// <c>skipped</c> event. With <c>end</c>, a <c>messageId</c> that was never accepted gets one, too, and will not be accepted any
    /// more.</summary>
    Dequeue = 14,

    /// <summary>Kernels. By the kernelspec's interrupt_mode: SIGINT to the group, or interrupt_request on control. With a <c>messageId</c>
    /// only that request is interrupted: now if the kernel is at it, else when it takes it up.</summary>
    Interrupt = 15,

    /// <summary>Exit when idle: nothing runs and the last exit record is durable. Refused otherwise.</summary>
    Release = 16,

    /// <summary>
    /// Jobs on a terminal. Make it <c>rows</c> by <c>columns</c>; its foreground processes are told by SIGWINCH. Refused (not-supported)
    /// without one.
    /// </summary>
    Resize = 17,

    Welcome = 100,
    Done = 101,
    Refused = 102,

    /// <summary>The child runs: pid, startTicks, at. Always before <see cref="Exited"/>.</summary>
    Started = 110,

    /// <summary>Kernels. The kernel has answered kernel_info and its IOPub is known to be live.</summary>
    Ready = 111,

    /// <summary>The exit record is durable. exitCode or signal, cause, reason. A job supervisor is idle from here on.</summary>
    Exited = 112,

    /// <summary>The journal ends at <c>position</c> now.</summary>
    Appended = 113,

    /// <summary>Body: whole journal bytes starting at <c>position</c>.</summary>
    Journal = 114,

    /// <summary>The journal cannot grow (disk full): the child's pipes are not read until it can. Nothing is dropped.</summary>
    Stalled = 115,

    Unstalled = 116,

    /// <summary>Kernels. The heartbeat has gone unanswered (<c>alive</c> false) or answers again (true).</summary>
    Heartbeat = 117,

    Paused = 118,
    Resumed = 119,
}
