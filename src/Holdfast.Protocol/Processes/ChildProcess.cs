using System.Runtime.InteropServices;

namespace Holdfast.Protocol.Processes;

/// <summary>
/// What a new process starts with. Descriptors are given for 0, 1, 2 and, optionally, 3; every other one is closed in the child.
/// </summary>
public sealed record ChildStart(IReadOnlyList<string> Argv, IReadOnlyList<string> Environment, string? WorkingDirectory)
{
    /// <summary>
    /// What to execute when it is not to be looked up from the first of <see cref="Argv"/> in the caller's own PATH; contains a slash.
    /// </summary>
    public string? File { get; init; }

    /// <summary>
    /// A terminal's path: opened in the child, whose session is new, it becomes the controlling terminal, and its descriptors 0, 1 and 2.
    /// </summary>
    public string? Terminal { get; init; }

    public int StandardInput { get; init; } = -1;
    public int StandardOutput { get; init; } = -1;
    public int StandardError { get; init; } = -1;

    /// <summary>Becomes descriptor 3 of the child; -1 for none.</summary>
    public int Extra { get; init; } = -1;

    /// <summary>
    /// SIGCHLD is blocked in it from its first instruction on, and so in every thread that a runtime starts before its program: then it can
    /// be waited for by a descriptor.
    /// </summary>
    public bool BlocksChildSignal { get; init; }
}

/// <summary>
/// posix_spawn in a session of its own with every signal at its default and none blocked that was not asked for. Not
/// System.Diagnostics.Process, which hands SIGPIPE down as ignored and can neither start a session nor close descriptors.
/// </summary>
public static unsafe partial class ChildProcess
{
    private const short FlagSetSigDefault = 0x04;
    private const short FlagSetSigMask = 0x08;
    private const short FlagSetSid = 0x80;

    /// <summary>
    /// Starts the child; returns its pid, or the negated errno when it could not be started (-2: command or directory not found).
    /// </summary>
    public static int Spawn(ChildStart start)
    {
        // Sizes with room to spare: glibc's are 336, 80 and 128 bytes.
        byte* attributes = stackalloc byte[512];
        byte* actions = stackalloc byte[128];
        byte* all = stackalloc byte[128];
        byte* blocked = stackalloc byte[128];
        _ = AttributesInit(attributes);
        _ = ActionsInit(actions);
        _ = SigFillSet(all);
        _ = SigEmptySet(blocked);
        if (start.BlocksChildSignal)
        {
            _ = SigAddSet(blocked, Libc.SigChld);
        }

        _ = SetSigDefault(attributes, all);
        _ = SetSigMask(attributes, blocked);
        _ = SetFlags(attributes, FlagSetSid | FlagSetSigDefault | FlagSetSigMask);

        nint[] argv = Native(start.Argv);
        nint[] environment = Native(start.Environment);
        nint file = start.File is null ? 0 : Marshal.StringToCoTaskMemUTF8(start.File);
        try
        {
            if (start.WorkingDirectory is { } directory)
            {
                _ = AddChdir(actions, directory);
            }

            if (start.Terminal is { } terminal)
            {
                // After setsid, by a session leader that has none, and without O_NOCTTY: the first terminal so opened is the session's own.
                _ = AddOpen(actions, 0, terminal, Libc.OpenReadWrite, 0);
                _ = AddDup2(actions, 0, 1);
                _ = AddDup2(actions, 0, 2);
            }
            else
            {
                AddStandard(actions, start.StandardInput, 0, Libc.OpenReadOnly);
                AddStandard(actions, start.StandardOutput, 1, Libc.OpenReadWrite);
                AddStandard(actions, start.StandardError, 2, Libc.OpenReadWrite);
            }

            if (start.Extra >= 0)
            {
                _ = AddDup2(actions, start.Extra, 3);
            }

            _ = AddCloseFrom(actions, start.Extra >= 0 ? 4 : 3);
            int pid;
            int error;
            fixed (nint* argvStart = argv)
            fixed (nint* environmentStart = environment)
            {
                error = SpawnP(&pid, (byte*)(file != 0 ? file : argv[0]), actions, attributes, argvStart, environmentStart);
            }

            return error == 0 ? pid : -error;
        }
        finally
        {
            Free(argv);
            Free(environment);
            Marshal.FreeCoTaskMem(file);
            _ = ActionsDestroy(actions);
            _ = AttributesDestroy(attributes);
        }
    }

    private static void AddStandard(byte* actions, int fd, int target, int nullFlags)
    {
        if (fd < 0)
        {
            _ = AddOpen(actions, target, "/dev/null", nullFlags, 0);
        }
        else
        {
            // dup2 onto itself keeps close-on-exec in older C libraries; glibc clears it since 2.29.
            _ = AddDup2(actions, fd, target);
        }
    }

    private static nint[] Native(IReadOnlyList<string> values)
    {
        var native = new nint[values.Count + 1];
        for (int i = 0; i < values.Count; i++)
        {
            native[i] = Marshal.StringToCoTaskMemUTF8(values[i]);
        }

        return native;
    }

    private static void Free(nint[] native)
    {
        foreach (nint value in native)
        {
            Marshal.FreeCoTaskMem(value);
        }
    }

    private const string C = "libc";

    [LibraryImport(C, EntryPoint = "posix_spawnp")]
    private static partial int SpawnP(int* pid, byte* file, byte* actions, byte* attributes, nint* argv, nint* environment);

    [LibraryImport(C, EntryPoint = "posix_spawnattr_init")]
    private static partial int AttributesInit(byte* attributes);

    [LibraryImport(C, EntryPoint = "posix_spawnattr_destroy")]
    private static partial int AttributesDestroy(byte* attributes);

    [LibraryImport(C, EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(byte* attributes, short flags);

    [LibraryImport(C, EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetSigDefault(byte* attributes, byte* set);

    [LibraryImport(C, EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetSigMask(byte* attributes, byte* set);

    [LibraryImport(C, EntryPoint = "sigfillset")]
    private static partial int SigFillSet(byte* set);

    [LibraryImport(C, EntryPoint = "sigemptyset")]
    private static partial int SigEmptySet(byte* set);

    [LibraryImport(C, EntryPoint = "sigaddset")]
    private static partial int SigAddSet(byte* set, int signal);

    [LibraryImport(C, EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int ActionsInit(byte* actions);

    [LibraryImport(C, EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int ActionsDestroy(byte* actions);

    [LibraryImport(C, EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDup2(byte* actions, int from, int to);

    [LibraryImport(C, EntryPoint = "posix_spawn_file_actions_addopen", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddOpen(byte* actions, int fd, string path, int flags, int mode);

    [LibraryImport(C, EntryPoint = "posix_spawn_file_actions_addchdir_np", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddChdir(byte* actions, string directory);

    [LibraryImport(C, EntryPoint = "posix_spawn_file_actions_addclosefrom_np")]
    private static partial int AddCloseFrom(byte* actions, int from);
}
