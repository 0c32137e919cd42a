using Holdfast.Engine.Recovery;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>Start-up's part: what follows from edits of reactive notebooks, and was cut short by the last server's end, is done after all. Found: how many notebooks.</summary>
public sealed class RecoverEdits(StateStore store, EditFollowUp followUp)
{
    public Task<PhaseResult> RunAsync(CancellationToken cancellationToken)
    {
        List<string> paths = store.Read(ReactiveEditsTable.Paths);
        paths.ForEach(followUp.Note);
        return Task.FromResult(new PhaseResult(paths.Count));
    }
}
