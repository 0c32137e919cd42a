using Holdfast.Engine.Recovery;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// Start-up's part: what follows from edits of reactive notebooks, and was cut short by the last server's end, is done after all. Found:
/// how many notebooks. Then, behind the start, what other programs have saved into notebooks whose kernels live is looked for: no cell is
/// to go on with an older text, and autorun is to run the newer one.
/// </summary>
public sealed class RecoverEdits(StateStore store, EditFollowUp followUp)
{
    /// <summary>Over when all that may have been missed has been looked at.</summary>
    internal Task Looking { get; private set; } = Task.CompletedTask;

    public Task<PhaseResult> RunAsync(CancellationToken cancellationToken)
    {
        List<string> paths = store.Read(ReactiveEditsTable.Paths);
        paths.ForEach(followUp.Note);
        List<string> others = [.. store.Read(MissedEdits.LivePaths).Except(paths)];
        if (others.Count > 0)
        {
            Looking = LookAsync(others);
        }

        return Task.FromResult(new PhaseResult(paths.Count));
    }

    private async Task LookAsync(List<string> paths)
    {
        await Task.Yield(); // Files are read and parsed, which nobody who waits for the start is to wait for.
        foreach (string path in paths)
        {
            try
            {
                if (MissedEdits.Has(store, path))
                {
                    followUp.Note(path);
                }
            }
            catch (Exception failure) when (failure is RefusedException or StoreException or IOException or UnauthorizedAccessException)
            {
                // It is gone, or no notebook at this moment; whoever touches it next is told.
            }
        }
    }
}
