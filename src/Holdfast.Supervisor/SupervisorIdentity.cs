using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor;

/// <summary>Who this process is; read once, for it never changes.</summary>
internal static class SupervisorIdentity
{
    public static ProcessIdentity Current { get; } = ProcessIdentity.Current;
}
