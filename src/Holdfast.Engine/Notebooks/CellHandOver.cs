using System.Text.Json;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Notebooks;

/// <summary>What a kernel's supervisor is told of a run's cells. It decides nothing of its own: the rows say what is wanted.</summary>
internal static class CellHandOver
{
    /// <summary>To be run when its turn comes; or, if it is over or not wanted any more, not to be.</summary>
    public static LinkMessage Message(ActiveRun active, LiveKernel kernel, Execution execution, CellRequest request, DateTimeOffset now)
    {
        CrashPoints.Reach(CrashPoint.ServerCellHandedOver);
        bool isUnwanted = execution.IsCancelRequested || active.IsUnwanted(execution.Id);
        return isUnwanted || execution.State.IsSettled()
            ? Withdrawal(kernel, execution.Id, isFinal: isUnwanted && !execution.State.IsSettled())
            : Execute(active.Run, execution, request, kernel, now);
    }

    /// <param name="isFinal">One that the supervisor has never seen is over with this, too: nothing else would ever say so.</param>
    public static LinkMessage Withdrawal(LiveKernel kernel, ExecutionId cell, bool isFinal) =>
        new()
        {
            Type = LinkMessageType.Dequeue,
            MessageId = cell.Value,
            Attempt = kernel.Live.Id.Value,
            End = isFinal,
        };

    private static LinkMessage Execute(Run run, Execution execution, CellRequest request, LiveKernel kernel, DateTimeOffset now)
    {
        bool stopOnError = run.StopOnError && !request.AllowsError;
        return new LinkMessage
        {
            Type = LinkMessageType.Execute,
            Attempt = kernel.Live.Id.Value,
            MessageId = execution.Id.Value,
            Group = run.Id,
            StopOnError = stopOnError,
            Position = kernel.Position, // The supervisor drops what was sent without knowing of an error that stopped the group.
            Body = JupyterEnvelope.Build(
                JupyterHeader.Create("execute_request", execution.Id.Value, kernel.Live.Id.Value, Environment.UserName, now),
                JupyterEnvelope.ExecuteContent(
                    request.Code ?? request.Source,
                    stopOnError: stopOnError && !run.IsCascade,
                    afterwards: request.Afterwards
                ),
                CellMetadata(request.CellId)
            ),
            After = run.IsCascade ? [.. request.After ?? []] : null,
        };
    }

    private static byte[] CellMetadata(string? cellId)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            writer.WriteStartObject();
            if (cellId is not null)
            {
                writer.WriteString("cellId", cellId);
            }

            writer.WriteEndObject();
        }

        return stream.ToArray();
    }
}
