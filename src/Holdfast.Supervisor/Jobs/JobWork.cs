using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Children;
using Holdfast.Supervisor.Link;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Jobs;

/// <summary>
/// A job, and when its exit record is durable the next one: short jobs need not pay for a process's start. Only a supervisor with nothing
/// left below it takes another; one whose job left daemons behind ends, and they become the system's.
/// </summary>
internal sealed class JobWork : AttemptWork
{
    /// <summary>
    /// How long an idle supervisor that nobody is connected to waits to be found, and how long a leaving one lets its peers read on.
    /// </summary>
    private const int AloneMsMax = 10_000;

    /// <summary>How long an idle supervisor waits for its next job.</summary>
    private const int IdleMsMax = 5 * 60 * 1000;

    private readonly LoopTimer _aloneTimer;
    private readonly LoopTimer _idleTimer;
    private InputPipe? _input;
    private int _inputReadEnd = -1;
    private int _inputWriteEnd = -1;
    private bool _isLeaving;

    public JobWork(PollLoop loop, AttemptHold hold)
        : base(loop, hold)
    {
        _aloneTimer = loop.AddTimer(loop.Stop);
        _idleTimer = loop.AddTimer(loop.Stop);
    }

    public override string Mode => AttemptSpec.KindJob;

    public override string[] Capabilities { get; } =
    ["run", "signal", "pause", "stdin", "follow", "watch", "resize", LinkCapabilities.Packed];

    public override string State => _isLeaving ? "leaving" : base.State;

    public override void Handle(LinkRequest request)
    {
        switch (request.Type)
        {
            case LinkMessageType.Run:
                HandleRun(request);
                break;
            case LinkMessageType.Release:
                HandleRelease(request);
                break;
            case LinkMessageType.StandardInput:
                HandleInput(request);
                break;
            case LinkMessageType.Resize:
                HandleResize(request);
                break;
            default:
                base.Handle(request);
                break;
        }
    }

    public override void ConnectionsChanged(int count)
    {
        if (Now == AttemptPhase.Ended && !_isLeaving && count == 0)
        {
            _aloneTimer.Start(AloneMsMax);
        }
        else if (!_isLeaving)
        {
            _aloneTimer.Stop();
        }
        else if (count == 0)
        {
            Loop.Stop();
        }
    }

    protected override unsafe ChildStart Prepare()
    {
        ChildStart start = base.Prepare();
        if (Spec.Pty || (Spec.StandardInput == AttemptSpec.InputNull && Spec.StandardInputBytes is null))
        {
            return start;
        }

        int* fds = stackalloc int[2];
        if (Libc.Pipe2(fds, Libc.OpenCloseOnExec) != 0)
        {
            throw Libc.Failure("pipe", "for the child's input");
        }

        _inputReadEnd = fds[0];
        _inputWriteEnd = fds[1];
        Posix.SetNonBlocking(_inputWriteEnd);
        return start with { StandardInput = _inputReadEnd };
    }

    protected override void OnLaunched()
    {
        if (Terminal is { } terminal)
        {
            bool endsAfterFirst = Spec.StandardInputBytes is not null && Spec.StandardInput == AttemptSpec.InputNull;
            _input = new InputPipe(Loop, terminal.DuplicateMaster(), Spec.StandardInputBytes ?? [], endsAfterFirst, isTerminal: true);
            return;
        }

        if (_inputReadEnd < 0)
        {
            return;
        }

        _ = Libc.Close(_inputReadEnd);
        _inputReadEnd = -1;
        _input = new InputPipe(Loop, _inputWriteEnd, Spec.StandardInputBytes ?? [], Spec.StandardInput == AttemptSpec.InputNull);
    }

    protected override void OnChildEnded()
    {
        _input?.Dispose();
        _input = null;
    }

    protected override void OnEnded()
    {
        _input?.Dispose();
        _input = null;
        Journal.Dispose();

        // Whoever finds the lock free from here on finds exit.json too.
        Hold.Dispose();
        _ = Reaper.Reap(null);
        if (Reaper.HasChildren())
        {
            // A later stop must not take them for the next job's, nor may they keep that job's supervisor from knowing its own.
            _isLeaving = true;
            _aloneTimer.Start(Link is { GreetedCount: > 0 } ? AloneMsMax : 0);
            return;
        }

        _idleTimer.Start(IdleMsMax);
        ConnectionsChanged(Link?.GreetedCount ?? 0);
    }

    private void HandleRun(LinkRequest request)
    {
        if (_isLeaving)
        {
            request.Refuse(LinkCodes.Leaving, "Processes that the last job left behind live under this supervisor; it takes no other job.");
            return;
        }

        if (Now != AttemptPhase.Ended)
        {
            request.Refuse(LinkCodes.NotIdle, $"It holds the attempt {Attempt}, which has not ended.");
            return;
        }

        if (request.Message.Directory is not { } directory || !Path.IsPathRooted(directory))
        {
            request.Refuse(LinkCodes.SpecInvalid, "A request to run names the attempt's folder by its whole path.");
            return;
        }

        AttemptHold hold;
        try
        {
            hold = JobHold.Take(directory);
        }
        catch (HoldRefusedException e)
        {
            request.Refuse(e.Code, e.Message);
            return;
        }

        try
        {
            hold.WriteSupervisor(Link!.SocketPath);
        }
        catch (IOException e)
        {
            hold.Dispose();
            request.Refuse(e.HResult is Libc.Enospc or Libc.Edquot ? LinkCodes.DiskFull : LinkCodes.Failed, e.Message);
            return;
        }

        _idleTimer.Stop();
        _aloneTimer.Stop();
        SupervisorProcess.LogTo(hold.Files.Log);
        Renew(hold);
        request.Done();
        Begin();
    }

    private void HandleRelease(LinkRequest request)
    {
        if (Now != AttemptPhase.Ended)
        {
            request.Refuse(LinkCodes.NotIdle, $"It holds the attempt {Attempt}, which has not ended.");
            return;
        }

        request.Done();
        Loop.Stop();
    }

    private void HandleResize(LinkRequest request)
    {
        (int rows, int columns) = (request.Message.Rows, request.Message.Columns);
        if (ChildPid == 0)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could be told.");
        }
        else if (Terminal is not { } terminal)
        {
            request.Refuse(LinkCodes.NotSupported, "It does not run on a terminal.");
        }
        else if (
            rows is < 1 or > PseudoTerminal.SizeMax
            || columns is < 1 or > PseudoTerminal.SizeMax
            || !terminal.TryResize(rows, columns)
        )
        {
            request.Refuse(
                LinkCodes.SizeInvalid,
                $"{rows} rows by {columns} columns is no size; each goes from 1 to {PseudoTerminal.SizeMax}."
            );
        }
        else
        {
            request.Done();
        }
    }

    private void HandleInput(LinkRequest request)
    {
        if (ChildPid == 0)
        {
            request.Refuse(LinkCodes.NotRunning, "Nothing runs here that could read.");
        }
        else if (_input is not { IsClosed: false } input)
        {
            request.Refuse(LinkCodes.InputClosed, "Its standard input is not a pipe, or was closed.");
        }
        else if (!input.TryTake(request.Message.Body.Span, request.Message.End))
        {
            request.Refuse(LinkCodes.InputFull, $"The child has not read what waits for it; at most {InputPipe.BytesMax} bytes wait.");
        }
        else
        {
            request.Done();
        }
    }
}
