namespace Holdfast.Soak.Mischief;

/// <summary>What is done to the house.</summary>
internal enum Deed
{
    KillServer,
    KillServerWhileItRecovers,
    KillServerAndSupervisor,
    RestartServer,
    KillSupervisor,
    KillKernel,
    StopSupervisor,
    StopServer,
}

/// <summary>How often each is done, and how long the house is left alone in between.</summary>
internal sealed record MischiefPlan(TimeSpan PauseMax, TimeSpan StopMax, (Deed Deed, int Weight)[] Deeds)
{
    public static readonly MischiefPlan Crash = new(
        TimeSpan.FromSeconds(1),
        TimeSpan.FromSeconds(0.8),
        [
            (Deed.KillServer, 30),
            (Deed.KillServerWhileItRecovers, 8),
            (Deed.KillServerAndSupervisor, 8),
            (Deed.RestartServer, 10),
            (Deed.KillSupervisor, 28),
            (Deed.KillKernel, 10),
            (Deed.StopSupervisor, 6),
        ]
    );

    /// <summary>Servers live for a minute or so each, so that their memory can be watched.</summary>
    public static readonly MischiefPlan Soak = new(
        TimeSpan.FromSeconds(5),
        TimeSpan.FromSeconds(6),
        [
            (Deed.KillServer, 2),
            (Deed.KillServerWhileItRecovers, 1),
            (Deed.KillServerAndSupervisor, 1),
            (Deed.RestartServer, 1),
            (Deed.KillSupervisor, 30),
            (Deed.KillKernel, 15),
            (Deed.StopSupervisor, 25),
            (Deed.StopServer, 25),
        ]
    );

    public Deed Next(Random random)
    {
        int at = random.Next(Deeds.Sum(static d => d.Weight));
        foreach ((Deed deed, int weight) in Deeds)
        {
            if ((at -= weight) < 0)
            {
                return deed;
            }
        }

        return Deed.KillServer;
    }
}
