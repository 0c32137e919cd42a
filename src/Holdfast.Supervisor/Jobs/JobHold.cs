using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Link;
using Holdfast.Supervisor.Attempts;

namespace Holdfast.Supervisor.Jobs;

/// <summary>Takes an attempt that is a job this supervisor can run.</summary>
internal static class JobHold
{
    public static AttemptHold Take(string directory) => Require(AttemptHold.Take(directory));

    /// <summary>Gives back the hold, or releases it and refuses.</summary>
    public static AttemptHold Require(AttemptHold hold)
    {
        if (hold.Spec.Kind == AttemptSpec.KindJob)
        {
            return hold;
        }

        string refusal = $"The attempt in {hold.Files.Directory} is no job.";
        hold.Dispose();
        throw new HoldRefusedException(LinkCodes.NotSupported, refusal);
    }
}
