using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Supervisor.Attempts;

namespace Holdfast.Supervisor.Jobs;

/// <summary>Takes an attempt that is a job this supervisor can run.</summary>
internal static class JobHold
{
    public static AttemptHold Take(string directory)
    {
        AttemptHold hold = AttemptHold.Take(directory);
        string? refusal = hold.Spec.Kind != AttemptSpec.KindJob ? $"The attempt in {directory} is no job."
            : hold.Spec.Pty ? "Jobs on a terminal of their own are not supported yet."
            : null;
        if (refusal is null)
        {
            return hold;
        }

        hold.Dispose();
        throw new HoldRefusedException(LinkCodes.NotSupported, refusal);
    }
}
