using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using Holdfast.Soak.Books;
using Holdfast.Soak.Mischief;
using Holdfast.SystemTests.Serving;
using Holdfast.SystemTests.Terminals;

namespace Holdfast.Soak.Load;

/// <summary>
/// Somebody at a terminal who types sums, comes back whenever the server is there again, and in the end leaves by `exit`. The shell must be
/// the same one throughout.
/// </summary>
internal sealed class TerminalLoad(Stage stage)
{
    private const string Work = "terminals";
    private const int Sums = 15;
    private static readonly TimeSpan AnyPatience = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan TypePause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(4);

    public Task RunAsync(CancellationToken until) => stage.RepeatAsync("terminal", () => PlayAsync(until), until);

    private async Task PlayAsync(CancellationToken until)
    {
        string name = stage.NextName("terminal").Replace('-', '_');
        string id = await stage.House.PersistAsync(async rest =>
            (await rest.PostAsync("/api/terminals", $$"""{"name":"{{name}}"}""")).Must(200).Json.GetProperty("execution_id").GetString()!
        );
        Account account = stage.Ledger.Of(Work);
        account.Acknowledge();
        for (int sum = 1; sum <= Sums && !until.IsCancellationRequested; sum++)
        {
            // What was typed into a dying server may not have arrived, so it is typed again.
            string answer = string.Create(CultureInfo.InvariantCulture, $"={sum * 7}.\r\n");
            await TypeUntilAsync(
                name,
                id,
                string.Create(CultureInfo.InvariantCulture, $"KEPT=$((${{KEPT:-0}}+0)); echo \"=$(({sum}*7)).\"\r"),
                answer
            );
            await Task.Delay(TypePause, TimeProvider.System, CancellationToken.None);
        }

        ExecutionReply end = await LeaveAsync(name, id);
        string? cause = end.State == "lost" ? stage.Victims.CauseOfJob(id) : null;
        if (cause is not null)
        {
            account.Lose(cause);
        }
        else if (end is { State: "succeeded", Attempt: 1 })
        {
            account.Finish();
        }
        else
        {
            stage.Ledger.Break(
                end.State == "lost" ? Fault.WronglyLost : Fault.WrongOutcome,
                $"The terminal {name} was left by exit: {end}"
            );
        }
    }

    private async Task TypeUntilAsync(string name, string id, string typed, string answer)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!(await stage.House.PersistAsync(rest => rest.ExecutionAsync(id))).IsFinal)
        {
            if (await TryTypeAsync(name, typed, answer))
            {
                return;
            }

            if (TimeProvider.System.GetElapsedTime(start) > AnyPatience)
            {
                throw new TimeoutException($"The terminal {name} does not answer.");
            }
        }
    }

    private async Task<bool> TryTypeAsync(string name, string typed, string answer)
    {
        try
        {
            await stage.House.UpAsync();
            await using TerminalClient client = await TerminalClient.ConnectAsync(stage.Server, name);
            if (client.Screen.Contains(answer, StringComparison.Ordinal))
            {
                return true;
            }

            await client.TypeAsync(typed);
            long start = TimeProvider.System.GetTimestamp();
            while (TimeProvider.System.GetElapsedTime(start) < AnswerPatience)
            {
                if (client.Screen.Contains(answer, StringComparison.Ordinal))
                {
                    stage.Ledger.Did("lines typed at terminals");
                    return true;
                }

                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            }
        }
        catch (Exception e)
            when (e is WebSocketException or HttpRequestException or IOException or TimeoutException or ObjectDisposedException)
        {
            // It died; it is typed again.
        }

        return false;
    }

    private async Task<ExecutionReply> LeaveAsync(string name, string id)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (true)
        {
            RestReply reply = await stage.House.PersistAsync(rest => rest.GetAsync($"/v1/executions/{id}/wait?timeoutSeconds=1"));
            if (reply.Status == 200)
            {
                return reply.Execution;
            }

            if (TimeProvider.System.GetElapsedTime(start) > AnyPatience)
            {
                throw new TimeoutException($"The terminal {name} was not left: {reply.Text}");
            }

            _ = await TryTypeAsync(name, "exit 0\r", "\0");
        }
    }
}
