using Holdfast.Engine.Access;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>
/// Starts a kernel of a kernelspec under a supervisor of its own, or takes a warm one that is like it, and waits until it answers.
/// Errors: kernelspec-not-found, working-directory-not-found, invalid-request, kernel-died (with its standard error), disk-full.
/// </summary>
public sealed class StartKernel(
    StateStore store,
    KernelLedger ledger,
    LiveKernels live,
    WarmKernels warm,
    KernelOptions options,
    string root
)
{
    public const string DefaultSpec = "python3";

    internal SpaceGuard? Space { get; init; }

    /// <summary>By which Jupyter's clients name the folder of the notebook.</summary>
    private const string WorkingDirectoryVariable = "KERNEL_WORKING_DIR";

    public Task<Kernel> RunAsync(string? specName, string? workingDirectory, CancellationToken cancellationToken) =>
        RunAsync(new StartKernelRequest { SpecName = specName, WorkingDirectory = workingDirectory }, cancellationToken);

    public async Task<Kernel> RunAsync(StartKernelRequest request, CancellationToken cancellationToken)
    {
        (KernelId id, LiveKernel? started) = await LaunchAsync(request, null, cancellationToken);
        if (started is not null)
        {
            await started.Ready.WaitAsync(cancellationToken);
        }

        return store.Read(reader => KernelsTable.Find(reader, id))!;
    }

    /// <summary>
    /// The same without the wait: the kernel is stored and being launched. What becomes of it is told by its state and its events.
    /// </summary>
    /// <param name="alsoStore">What is to be stored in the same transaction as the kernel.</param>
    public async Task<Kernel> BeginAsync(
        StartKernelRequest request,
        CancellationToken cancellationToken,
        Action<StoreTransaction, Kernel>? alsoStore = null
    )
    {
        (KernelId id, _) = await LaunchAsync(request, alsoStore, cancellationToken);
        return store.Read(reader => KernelsTable.Find(reader, id))!;
    }

    /// <summary>The kernel, and its incarnation unless it was ready already.</summary>
    private async Task<(KernelId Id, LiveKernel? Started)> LaunchAsync(
        StartKernelRequest request,
        Action<StoreTransaction, Kernel>? alsoStore,
        CancellationToken cancellationToken
    )
    {
        Space?.ThrowIfFull();
        KernelSpec spec = KernelSpecs.Require(request.SpecName ?? DefaultSpec);
        KernelPlan plan = Plan(request, spec);
        if (request.Id is null && await warm.TakeAsync(plan, alsoStore, cancellationToken) is { } ready)
        {
            return (ready.Id, null);
        }

        if (request.Id is { } wanted && !Guid.TryParseExact(wanted.Value, "D", out _))
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"A kernel's id must be a UUID, and '{wanted}' is none.");
        }

        (Kernel kernel, Attempt attempt) = await store.WriteAsync(
            transaction =>
            {
                KernelId id = request.Id ?? KernelId.New();
                if (KernelsTable.Find(transaction, id) is { } taken)
                {
                    throw new RefusedException(
                        ErrorCodes.IllegalTransition,
                        $"There is, or was, a kernel {taken.Id} already. Leave the choice of an id to the server."
                    );
                }

                (Kernel Kernel, Attempt Attempt) added = ledger.Add(transaction, id, plan with { Environment = WithHints(request) });
                AuditTable.Record(transaction, added.Kernel.CreatedAt, nameof(StartKernel), id.Value, plan.SpecName);
                alsoStore?.Invoke(transaction, added.Kernel);
                return added;
            },
            cancellationToken
        );
        return (kernel.Id, live.Launch(kernel, attempt, spec, []));
    }

    private static Dictionary<string, string> WithHints(StartKernelRequest request)
    {
        var environment = new Dictionary<string, string>(request.Hints);
        foreach ((string name, string value) in request.Environment)
        {
            environment[name] = value;
        }

        return environment;
    }

    private KernelPlan Plan(StartKernelRequest request, KernelSpec spec)
    {
        if (request.MemoryBytesMax <= 0)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "A memory limit must be a positive number of bytes.");
        }

        if (request.Cpus is { } cpus && KernelCpus.ToMillis(cpus) is null)
        {
            throw new RefusedException(
                ErrorCodes.InvalidRequest,
                $"A limit on processors must be a number from {KernelCpus.Min} to {KernelCpus.Max}."
            );
        }

        if (request.Environment.Keys.FirstOrDefault(static n => n.Length == 0 || n.Contains('=') || n.Contains('\0')) is { } bad)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, $"'{bad}' cannot be the name of an environment variable.");
        }

        KernelPlan plan = KernelPlan.For(spec, WorkingDirectory(request), options);
        return plan with
        {
            Environment = request.Environment,
            MemoryBytesMax = request.MemoryBytesMax ?? plan.MemoryBytesMax,
            CpuMillisMax = request.Cpus is { } asked ? KernelCpus.ToMillis(asked) : plan.CpuMillisMax,
            IsAutoRestarted = request.IsAutoRestarted,
        };
    }

    private string WorkingDirectory(StartKernelRequest request)
    {
        if (request.WorkingDirectory is { } asked)
        {
            string directory = Path.GetFullPath(asked, root);
            return Directory.Exists(directory)
                ? Path.TrimEndingDirectorySeparator(directory)
                : throw new RefusedException(
                    ErrorCodes.WorkingDirectoryNotFound,
                    $"The working directory '{directory}' does not exist on the server's machine."
                );
        }

        // A client on another machine may name a folder of its own: no reason to refuse it a kernel.
        return
            request.Environment.GetValueOrDefault(WorkingDirectoryVariable) is { } named
            && Path.IsPathRooted(named)
            && Directory.Exists(named)
            ? Path.TrimEndingDirectorySeparator(Path.GetFullPath(named))
            : root;
    }
}
