using System.Globalization;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Gives a callback to a local command: the body is its standard input, exit code 0 is "delivered". The command is in a session of its own
/// and has the time that a receiver has; a command that the end of the server leaves behind is run again by the next one, with the same
/// HOLDFAST_CALLBACK_ID.
/// </summary>
public sealed class CommandSender(SupervisorReaper reaper, TimeProvider time) : ICallbackSender
{
    public async Task<CallbackAnswer> SendAsync(Callback callback, CancellationToken cancellationToken)
    {
        using CommandPipes pipes = CommandPipes.Open(callback.Body!);
        (int pid, Task<WaitStatus> exit) = reaper.Spawn(
            new ChildStart(callback.Order.Argv!, Variables(callback), callback.Order.Cwd)
            {
                StandardInput = pipes.Input,
                StandardOutput = pipes.Output,
                StandardError = pipes.Output,
            }
        );
        if (pid < 0)
        {
            string why = System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(-pid);
            return new CallbackAnswer(CallbackVerdict.Failed)
            {
                Error = $"{callback.Order.Argv![0]} could not be started in {callback.Order.Cwd}: {why}.",
            };
        }

        // A thread of its own, since it waits for two descriptors at once; there are never more than a few.
        using var watch = new CommandWatch(pid, pipes, CallbackLimits.Timeout, time);
        CommandEnd end = await Task.Factory.StartNew(
            () => watch.Run(cancellationToken),
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        WaitStatus status = await exit;
        cancellationToken.ThrowIfCancellationRequested();
        return Judge(end, status);
    }

    private static CallbackAnswer Judge(CommandEnd end, WaitStatus status)
    {
        if (status.ExitCode == 0 && !end.HasTimedOut)
        {
            return new CallbackAnswer(CallbackVerdict.Delivered) { Status = 0, Head = end.Head };
        }

        string error =
            end.HasTimedOut
                ? $"The command was ended after {CallbackLimits.Timeout.TotalSeconds.ToString(CultureInfo.InvariantCulture)} seconds."
            : status.ExitCode is { } code ? $"The command ended with exit code {code.ToString(CultureInfo.InvariantCulture)}."
            : $"The command was ended by signal {status.Signal?.ToString(CultureInfo.InvariantCulture)}.";
        return new CallbackAnswer(CallbackVerdict.Failed)
        {
            Status = status.ExitCode,
            Head = end.Head,
            Error = error,
        };
    }

    private static string[] Variables(Callback callback)
    {
        Dictionary<string, string> variables = ServerEnvironment.Inherited();
        variables[callback.Kind == CallbackSubject.Run ? "HOLDFAST_RUN_ID" : "HOLDFAST_EXECUTION_ID"] = callback.SubjectId;
        variables["HOLDFAST_CALLBACK_ID"] = callback.Id.Value;
        variables["HOLDFAST_CALLBACK_TYPE"] = callback.Type!;
        variables["HOLDFAST_CALLBACK_ATTEMPT"] = callback.Attempts.ToString(CultureInfo.InvariantCulture);
        return [.. variables.Select(static v => $"{v.Key}={v.Value}")];
    }
}
