using System.Globalization;
using Holdfast.Bench.Processes;
using Holdfast.Protocol.Processes;

namespace Holdfast.Bench.Peers;

/// <summary>
/// Celery with a prefork worker on a Redis of its own that syncs every command, both as broker and for results: the nearest to "all
/// durable" among its settings.
/// </summary>
internal sealed class CeleryPeer : IDisposable
{
    private const string Python = "/usr/bin/python3";
    private const string Redis = "/usr/bin/redis-server";
    private const int WarmUp = 20;

    private readonly Sandbox _sandbox;
    private readonly (string, string)[] _variables;
    private readonly Child _redis;
    private readonly Child _worker;

    private CeleryPeer(Sandbox sandbox, int slots)
    {
        _sandbox = sandbox;
        string folder = sandbox.NewFolder("celery");
        string socket = Path.Combine(folder, "redis");
        string log = Path.Combine(folder, "log");
        _variables =
        [
            ("BENCH_REDIS", socket),
            ("PYTHONPATH", Path.Combine(AppContext.BaseDirectory, "Peers")),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ];
        _redis = sandbox.Start(
            [Redis, "--port", "0", "--unixsocket", socket, "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always"],
            log,
            folder
        );
        _worker = sandbox.Start(
            [
                Python,
                "-m",
                "celery",
                "-A",
                "celery_tasks",
                "worker",
                "-c",
                slots.ToString(CultureInfo.InvariantCulture),
                "-P",
                "prefork",
                "--loglevel=ERROR",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ],
            log,
            folder,
            [.. _variables, ("C_FORCE_ROOT", "1")]
        );
        _ = Time(WarmUp);
    }

    public static CeleryPeer? StartIfInstalled(Sandbox sandbox, int slots) =>
        File.Exists(Redis)
        && Directory.Exists("/usr/lib/python3/dist-packages/celery")
        && Directory.Exists("/usr/lib/python3/dist-packages/redis")
            ? new CeleryPeer(sandbox, slots)
            : null;

    /// <summary>From the first submit until every result is known, by the client's own clock: the start of Python is not in it.</summary>
    public TimeSpan Time(int count) =>
        TimeSpan.FromSeconds(
            double.Parse(
                _sandbox
                    .Run(
                        [
                            Python,
                            Path.Combine(AppContext.BaseDirectory, "Peers", "celery_client.py"),
                            count.ToString(CultureInfo.InvariantCulture),
                        ],
                        _variables
                    )
                    .Trim()
                    .Split('\n')[^1],
                CultureInfo.InvariantCulture
            )
        );

    public void Dispose()
    {
        _worker.Stop(TimeSpan.FromSeconds(5));
        _redis.Signal(Libc.SigTerm);
        _redis.Kill();
    }
}
