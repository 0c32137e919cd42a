using System.Diagnostics;
using System.Globalization;
using Holdfast.Bench.Report;
using Holdfast.Bench.Server;

namespace Holdfast.Bench.Figures;

/// <summary>
/// Outcomes told to local receivers: how many a second from the first end of many to the last answer, and what one receiver of a hundred
/// that never answers costs the other ninety-nine. The jobs stand in line behind full slots and are cancelled, so that no process is
/// started meanwhile; the cancelling is part of the time.
/// </summary>
internal sealed class Callbacks : IBench
{
    private const int Receivers = 100;
    private const int Callers = 16;

    public string Name => "callbacks";
    public string What => "outcomes told to local receivers";

    public void Run(BenchRun run)
    {
        var one = new Figure("to one receiver", "/s", null, Goal.AtLeast(500));
        var many = new Figure("to 99 receivers, a hundredth is dead", "/s", "none is dead /s", Goal.RatioAtLeast(0.8));
        using HoldfastServer server = HoldfastServer.Start(run);
        server.FillSlots(BenchRun.Slots);
        using var sink = new CallbackSink();
        _ = Tell(server, sink, run.Size(1000, 20), receivers: 1, hasDead: false); // Until the server's code is compiled as it will stay.
        for (int round = 0; round < run.Rounds; round++)
        {
            int count = run.Size(2000, 100);
            one.Add(Tell(server, sink, count, receivers: 1, hasDead: false));
            double alive = Tell(server, sink, count, Receivers, hasDead: false);
            many.Add(Tell(server, sink, count, Receivers, hasDead: true), alive);
        }

        run.Report.Add(one, many);
    }

    private static double Tell(HoldfastServer server, CallbackSink sink, int count, int receivers, bool hasDead)
    {
        string[] ids = new string[count];
        using (RestConnection connection = server.Connect())
        {
            for (int i = 0; i < count; i++)
            {
                string path =
                    hasDead && i % receivers == 0
                        ? CallbackSink.DeadPath
                        : string.Create(CultureInfo.InvariantCulture, $"/{i % receivers}");
                ids[i] = connection.Submit(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $$$"""{"argv":["true"],"callback":{"url":"http://127.0.0.1:{{{sink.Port}}}{{{path}}}","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw","schedule":"once"}}"""
                    )
                );
            }
        }

        int expected = sink.Answered + (hasDead ? count - (count / receivers) : count);
        long start = Stopwatch.GetTimestamp();
        Thread[] callers = [.. Enumerable.Range(0, Callers).Select(caller => new Thread(() => Cancel(server, ids, caller)))];
        Array.ForEach(callers, static t => t.Start());
        Array.ForEach(callers, static t => t.Join());
        server.WaitFor(() => sink.Answered >= expected);
        return (hasDead ? count - (count / receivers) : count) / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static void Cancel(HoldfastServer server, string[] ids, int first)
    {
        using RestConnection connection = server.Connect();
        for (int i = first; i < ids.Length; i += Callers)
        {
            _ = connection.Post($"/v1/executions/{ids[i]}/cancel", "");
        }
    }
}
