using System.Security.Cryptography;
using Holdfast.Engine.Supervision;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>Writes the folder and spec.json of a kernel's incarnation.</summary>
internal static class KernelLaunchSpec
{
    /// <summary>Set by launchers whose kernels are to end with them; ours are not to.</summary>
    private const string ParentPid = "JPY_PARENT_PID";

    public static void Write(LiveAttempt live, Kernel kernel, KernelSpec spec, AttemptFolders folders, KernelOptions options)
    {
        Dictionary<string, string> environment = ServerEnvironment.Inherited();
        Add(kernel.Environment, environment); // Before the spec's, which may refer to them, and after: whoever starts a kernel knows best.
        Add(spec.ResolveEnvironment(environment), environment);
        Add(kernel.Environment, environment);

        environment.Remove(ParentPid);
        // Each incarnation has a supervisor of its own, started by this server.
        (string[] inherit, string[] written) = WorkEnvironment.Split(environment);
        Directory.CreateDirectory(live.Files.Directory);
        File.WriteAllBytes(
            live.Files.Spec,
            new AttemptSpec
            {
                Attempt = live.Id.Value,
                Kind = AttemptSpec.KindKernel,
                Nonce = live.Attempt.Nonce,
                Fence = live.Attempt.Fence,
                Socket = folders.SocketOf(live.Id),
                Argv = spec.ResolveArgv(),
                Cwd = kernel.WorkingDirectory,
                Environment = written,
                Inherit = inherit,
                Transport = spec.Transport,
                InterruptMode = spec.InterruptMode,
                Username = Environment.UserName,
                SessionId = live.Id.Value,
                Key = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)),
                StartTimeoutMs = (long)options.StartTimeout.TotalMilliseconds,
                GraceMs = (long)options.StopGrace.TotalMilliseconds,
                MemoryBytesMax = kernel.MemoryBytesMax ?? 0,
                CpuMillisMax = kernel.CpuMillisMax ?? 0,
            }.Write()
        );
    }

    private static void Add(IReadOnlyDictionary<string, string> variables, Dictionary<string, string> to)
    {
        foreach ((string name, string value) in variables)
        {
            to[name] = value;
        }
    }
}
