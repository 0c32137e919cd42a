using Holdfast.Engine.Kernels;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;

namespace Holdfast.Engine.Reactive.Cascades;

/// <summary>
/// Takes names out of a notebook's kernel that no cell defines any more, so that nothing goes on reading what is nowhere written. 1. The
/// wish is stored with the edit; 2. one silent request, in its turn behind what the kernel does and before what is handed over later,
/// removes them; it is no execution and leaves no trace in history; 3. the wish is struck out. Between the steps a crash leaves the wish,
/// which the next cascade carries out; removing twice is removing once.
/// </summary>
internal sealed class GhostRemoval(StateStore store, LiveKernels kernels, TimeProvider time)
{
    public async Task RunAsync(string path, CancellationToken cancellationToken)
    {
        (List<string> ghosts, KernelId? id) = store.Read(reader =>
            (GhostNamesTable.Of(reader, path), ReactiveKernelsTable.Of(reader, path))
        );
        if (ghosts.Count == 0)
        {
            return;
        }

        // A name that is defined again is removed all the same: it is the old value, and its new cell has yet to run.
        if (id is { } known && kernels.TryGet(known, out LiveKernel? kernel))
        {
            string messageId = $"ghosts-{Ulid.New(time)}"; // Not of the form of an execution's id: nobody is to keep account of it.
            byte[] body = JupyterEnvelope.Build(
                JupyterHeader.Create("execute_request", messageId, kernel.Live.Id.Value, Environment.UserName, time.GetUtcNow()),
                JupyterEnvelope.ExecuteContent(PythonCode(ghosts), silent: true, storeHistory: false, stopOnError: false)
            );
            try
            {
                await kernel.AskAsync(
                    new LinkMessage
                    {
                        Type = LinkMessageType.Execute,
                        MessageId = messageId,
                        Position = kernel.Position,
                        Body = body,
                    },
                    cancellationToken
                );
            }
            catch (Exception e) when (e is RefusedException or LinkRefusedException)
            {
                return; // Out of reach, or ending: the wish stays.
            }
        }

        await store.WriteAsync(
            transaction => ghosts.ForEach(name => GhostNamesTable.Remove(transaction, path, name)),
            CancellationToken.None
        );
    }

    private static string PythonCode(List<string> names)
    {
        string list = PythonNames.List(names);
        return $"""
            {PythonNames.Removal(
                names
            )}'_holdfast_sql' in __import__('sys').modules and __import__('sys').modules['_holdfast_sql'].forget([{list}])

            """;
    }
}
