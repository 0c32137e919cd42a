using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Engine.Kernels.Comms;

/// <summary>
/// The comms that are open in a kernel's latest incarnation, with the state of widgets, whoever opened them and whether or not a client is
/// left that knows them. Of a kernel that has ended, those that were open then. Errors: kernel-not-found.
/// </summary>
public sealed class ListComms(StateStore store, LiveKernels live, AttemptFolders folders)
{
    public IReadOnlyList<OpenComm> Run(KernelId id)
    {
        if (live.TryGet(id, out LiveKernel? kernel))
        {
            return kernel.Comms.Read();
        }

        Kernel ended = store.Read(reader => KernelsTable.Find(reader, id)) ?? throw KernelId.NotFound(id.Value);
        return ended.AttemptId is { } attempt ? new CommReader(new AttemptFiles(folders.Of(attempt)).Journal).Read() : [];
    }
}
