namespace Holdfast.Server.Cli.Doctor;

/// <summary>
/// Whether the system can hold kernels to their memory by itself. Without it their supervisors look after that, which a sudden burst can
/// outrun.
/// </summary>
internal static class CgroupCheck
{
    /// <param name="root">"/", or what a test puts in its place.</param>
    public static Finding Check(string root)
    {
        string controllers = Path.Combine(root, "sys/fs/cgroup/cgroup.controllers");
        if (!File.Exists(controllers))
        {
            return Finding.Ok("cgroups", "version 2 is not mounted: --kernel-memory is kept by looking, not by the system");
        }

        return !File.ReadAllText(controllers).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Contains("memory")
            ? Finding.Warning(
                "cgroups",
                "version 2 without its memory controller: --kernel-memory is kept by looking, not by the system",
                "enable it: cgroup_enable=memory on the command line of the system's kernel"
            )
            : Finding.Ok(
                "cgroups",
                "version 2 with memory; the system holds kernels to --kernel-memory where the unit has Delegate=memory and DelegateSubgroup=server"
            );
    }
}
