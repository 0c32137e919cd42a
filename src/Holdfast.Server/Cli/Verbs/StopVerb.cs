using System.Globalization;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Protocol.Processes;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast stop</c>: ends the server of a data directory, and nothing that runs in it.</summary>
internal static class StopVerb
{
    private const int PatienceMs = 30_000;
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);

    /// <summary>Longer than the server gives the work.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(60);

    private static readonly Option WithWork = new(
        "--with-work",
        "",
        "end its jobs and kernels, too; what is queued stays queued for the next start"
    );

    public static Verb Verb =>
        new("stop", "stop [--with-work]", "stop the server; its jobs and kernels live on, and the next one finds them")
        {
            Options = [WithWork],
            Notes =
                "The server is the one of the data directory (--data, HOLDFAST_DATA); it is sent SIGTERM, or asked over its address when it runs in another container.",
            RunAsync = StopAsync,
        };

    private static async Task<int> StopAsync(CliContext context, Arguments arguments)
    {
        var locator = new ServerLocator(arguments, context.Environment);
        if (!locator.IsByDataDirectory)
        {
            throw new UsageException("stop ends a process on this machine: give its data directory with --data, not an address.");
        }

        ServerRecord record = ServerRecord.FindLive(locator.Paths) ?? throw locator.Unreachable(null);
        bool isWithWork = arguments.Has(WithWork.Name);
        JsonElement? ended = isWithWork ? await EndWorkAsync(context, locator).ConfigureAwait(false) : null;
        (long Jobs, long Kernels)? living = isWithWork ? null : await CountAsync(context, locator).ConfigureAwait(false);
        using SignalTarget? target = SignalTarget.Open(record.Process);
        if (target is null && !isWithWork)
        {
            await AskToStopAsync(context, locator).ConfigureAwait(false);
        }

        target?.Terminate();
        if (!await HasEndedAsync(context, locator, target).ConfigureAwait(false))
        {
            throw new RefusedException(
                ErrorCodes.ServerStopping,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The server, process {record.Process.Pid}, was asked to stop and has not within {PatienceMs / 1000} s. kill -9 {record.Process.Pid} does its work no harm."
                )
            );
        }

        if (ended is { } work)
        {
            long left = work.Integer("left") ?? 0;
            context.Terminal.WriteLine(
                arguments.IsJson
                    ? work.Line()
                    : $"Stopped the server, process {record.Process.Pid}, and with it {Sentences.Count(work.Integer("jobs") ?? 0, "job", "jobs")} and {Sentences.Count(work.Integer("kernels") ?? 0, "kernel", "kernels")}."
                        + (left == 0 ? "" : $" {left} did not end in time and live on; the next start finds them.")
            );
            return left == 0 ? ExitCodes.Success : ExitCodes.Refused;
        }

        context.Terminal.WriteLine(
            arguments.IsJson
                ? string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"pid":{{record.Process.Pid}},"jobs":{{living?.Jobs.ToString(CultureInfo.InvariantCulture) ?? "null"}},"kernels":{{living?.Kernels.ToString(CultureInfo.InvariantCulture) ?? "null"}}}"""
                )
                : $"Stopped the server, process {record.Process.Pid}. {Sentence(living)}"
        );
        return ExitCodes.Success;
    }

    /// <summary>One that lives in another container: no signal reaches it, but its address does.</summary>
    private static async Task AskToStopAsync(CliContext context, ServerLocator locator)
    {
        if (!FileLock.IsHeld(locator.Paths.ServerLock))
        {
            throw locator.Unreachable(null);
        }

        using var client = new HoldfastClient(context, locator);
        _ = await client
            .SendAsync(
                ApiRequest.Post(
                    "v1/stop",
                    static json =>
                    {
                        json.WriteStartObject();
                        json.WriteEndObject();
                    }
                ),
                context.Interruption()
            )
            .ConfigureAwait(false);
    }

    private static async Task<bool> HasEndedAsync(CliContext context, ServerLocator locator, SignalTarget? target)
    {
        if (target is not null)
        {
            return await Task.Run(() => target.WaitForEnd(PatienceMs)).ConfigureAwait(false);
        }

        // What cannot be waited for by its pid gives its lock back when it ends.
        for (
            long start = context.Time.GetTimestamp();
            FileLock.IsHeld(locator.Paths.ServerLock);
            await Task.Delay(Look, context.Time, context.Interruption()).ConfigureAwait(false)
        )
        {
            if (context.Time.GetElapsedTime(start).TotalMilliseconds > PatienceMs)
            {
                return false;
            }
        }

        return true;
    }

    private static async Task<JsonElement> EndWorkAsync(CliContext context, ServerLocator locator)
    {
        using var client = new HoldfastClient(context, locator);
        return await client
            .SendAsync(
                ApiRequest.Post(
                    "v1/stop",
                    static json =>
                    {
                        json.WriteStartObject();
                        json.WriteBoolean("withWork", true);
                        json.WriteEndObject();
                    }
                ) with
                {
                    ServerTime = EndPatience,
                },
                context.Interruption()
            )
            .ConfigureAwait(false);
    }

    private static string Sentence((long Jobs, long Kernels)? living) =>
        living switch
        {
            null => "What ran in it goes on, and the next start finds it.",
            (0, 0) => "Nothing ran in it.",
            var (jobs, kernels) =>
                $"{Sentences.Count(jobs, "job", "jobs")} and {Sentences.Count(kernels, "kernel", "kernels")} live on; the next start finds them.",
        };

    /// <summary>Null when the server does not say: that is no reason not to stop it.</summary>
    private static async Task<(long Jobs, long Kernels)?> CountAsync(CliContext context, ServerLocator locator)
    {
        try
        {
            using var client = new HoldfastClient(context, locator);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), context.Time);
            long jobs = 0;
            foreach (string state in (string[])["starting", "running", "paused"])
            {
                JsonElement page = await client
                    .GetAsync($"v1/executions?kind=job&limit=1000&state={state}", patience.Token)
                    .ConfigureAwait(false);
                jobs += page.Items("executions").Count;
            }

            JsonElement kernels = await client.GetAsync("v1/kernels", patience.Token).ConfigureAwait(false);
            return (jobs, kernels.Items("kernels").Count(k => k.Text("state") is "starting" or "running"));
        }
        catch (Exception error) when (error is RefusedException or OperationCanceledException)
        {
            return null;
        }
    }
}
