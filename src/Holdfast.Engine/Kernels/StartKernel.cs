using Holdfast.Engine.Executions;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Starts a kernel of a kernelspec under a supervisor of its own and waits until it answers.
/// Errors: kernelspec-not-found, working-directory-not-found, kernel-died (with its standard error), disk-full.
/// </summary>
public sealed class StartKernel(StateStore store, KernelLedger ledger, LiveKernels live)
{
    public const string DefaultSpec = "python3";

    public async Task<Kernel> RunAsync(string? specName, string? workingDirectory, CancellationToken cancellationToken)
    {
        KernelSpec spec = KernelSpecs.Require(specName ?? DefaultSpec);
        string directory = workingDirectory ?? Environment.CurrentDirectory;
        if (!Directory.Exists(directory))
        {
            throw new RefusedException(ErrorCodes.WorkingDirectoryNotFound, $"The working directory '{directory}' does not exist on the server's machine.");
        }

        (Kernel kernel, Attempt attempt) = await store.WriteAsync(transaction => ledger.Add(transaction, KernelId.New(), spec.Name, directory), cancellationToken);
        await live.Launch(kernel, attempt, spec, []).Ready.WaitAsync(cancellationToken);
        return store.Read(reader => KernelsTable.Find(reader, kernel.Id))!;
    }
}
