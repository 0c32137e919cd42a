using Holdfast.Engine.Executions;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>What an execute_reply means for the execution.</summary>
internal static class CellOutcome
{
    /// <summary>The reason of a cell that R was interrupted in.</summary>
    public const string Interrupted = "Interrupted";

    public static Outcome Of(JupyterMessage reply, long at) =>
        reply.ReplyStatus switch
        {
            "ok" => new Outcome(ExecutionState.Succeeded, 0, null, "ok", null, at),
            "error" => Failed(reply, at),
            // R's word for a cell that was interrupted; what it drops is aborted there, too.
            "abort" => new Outcome(ExecutionState.Failed, 1, null, "error", Interrupted, at),
            _ => new Outcome(
                ExecutionState.Cancelled,
                null,
                null,
                "aborted",
                "The kernel dropped it because an earlier request failed.",
                at
            ),
        };

    /// <summary>An interrupt that somebody asked for is a cancel; the ledger knows whether somebody did.</summary>
    private static Outcome Failed(JupyterMessage reply, long at)
    {
        string name = JupyterJson.GetText(reply.Content.Span, "ename"u8) ?? "error";
        string? value = JupyterJson.GetText(reply.Content.Span, "evalue"u8);
        return new Outcome(ExecutionState.Failed, 1, null, "error", string.IsNullOrEmpty(value) ? name : $"{name}: {value}", at);
    }
}
