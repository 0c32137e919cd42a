using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Engine.Terminals;

/// <summary>Reads the terminals that live and are not being stopped. Errors: terminal-not-found.</summary>
public sealed class GetTerminal(StateStore store, AttemptFolders folders)
{
    public Terminal Run(string name) =>
        List().FirstOrDefault(t => t.Name == name)
        ?? throw new RefusedException(
            ErrorCodes.TerminalNotFound,
            $"There is no terminal '{name}'. GET /api/terminals lists those that live."
        );

    public IReadOnlyList<Terminal> List() =>
        store
            .Read(ExecutionsTable.Terminals)
            .FindAll(static t => !t.IsCancelRequested)
            .ConvertAll(t => new Terminal(
                t.Name!,
                t.Id,
                t.CreatedAt,
                Math.Max(t.CreatedAt, t.AttemptId is { } attempt ? LastOutput(attempt) : 0)
            ));

    /// <summary>The journal's own time, which no restart of the server forgets.</summary>
    private long LastOutput(AttemptId attempt)
    {
        var journal = new DirectoryInfo(new AttemptFiles(folders.Of(attempt)).Journal);
        return journal.Exists
            ? journal
                .EnumerateFiles("*.hfj")
                .Select(static f => (f.LastWriteTimeUtc.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond)
                .DefaultIfEmpty()
                .Max()
            : 0;
    }
}
