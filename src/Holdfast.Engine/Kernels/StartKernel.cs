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
        LiveKernel started = await LaunchAsync(new StartKernelRequest { SpecName = specName, WorkingDirectory = workingDirectory }, cancellationToken);
        await started.Ready.WaitAsync(cancellationToken);
        return store.Read(reader => KernelsTable.Find(reader, started.Id))!;
    }

    /// <summary>The same without the wait: the kernel is stored and being launched. What becomes of it is told by its state and its events.</summary>
    public async Task<Kernel> BeginAsync(StartKernelRequest request, CancellationToken cancellationToken)
    {
        LiveKernel started = await LaunchAsync(request, cancellationToken);
        return store.Read(reader => KernelsTable.Find(reader, started.Id))!;
    }

    private async Task<LiveKernel> LaunchAsync(StartKernelRequest request, CancellationToken cancellationToken)
    {
        KernelSpec spec = KernelSpecs.Require(request.SpecName ?? DefaultSpec);
        string directory = request.WorkingDirectory ?? Environment.CurrentDirectory;
        if (!Directory.Exists(directory))
        {
            throw new RefusedException(ErrorCodes.WorkingDirectoryNotFound, $"The working directory '{directory}' does not exist on the server's machine.");
        }

        if (request.Id is { } wanted && !Guid.TryParseExact(wanted.Value, "D", out _))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"A kernel's id must be a UUID, and '{wanted}' is none.");
        }

        (Kernel kernel, Attempt attempt) = await store.WriteAsync(
            transaction =>
            {
                KernelId id = request.Id ?? KernelId.New();
                return KernelsTable.Find(transaction, id) is { } taken
                    ? throw new RefusedException(ErrorCodes.IllegalTransition, $"There is, or was, a kernel {taken.Id} already. Leave the choice of an id to the server.")
                    : ledger.Add(transaction, id, spec.Name, directory);
            },
            cancellationToken);
        return live.Launch(kernel, attempt, spec, []);
    }
}
