using System.Text.Json.Nodes;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Crashes;

/// <summary>
/// What is owed to a receiver after whatever death: each end is told, under one id and with the same bytes, twice at most when somebody
/// died over it, and the server knows that it was.
/// </summary>
internal static class CallbackPromise
{
    public static Task CheckAsync(CrashStage stage, IEnumerable<AcknowledgedJob> jobs) => CheckAsync(stage.Server, stage.Receiver, jobs);

    public static async Task CheckAsync(TestServer server, WebhookReceiver receiver, IEnumerable<AcknowledgedJob> jobs, int timesMax = 2)
    {
        foreach (AcknowledgedJob job in jobs.Where(static j => j.Job.Callback is not null))
        {
            JsonNode? told = null;
            await Patience.UntilAsync(
                async () =>
                {
                    RestReply list = (await server.PersistAsync(rest => rest.GetAsync("/v1/callbacks?executionId=" + job.Id))).Must(200);
                    told = JsonNode.Parse(list.Text)!.AsArray().Single();
                    return told!["state"]!.GetValue<string>() is not ("waiting" or "pending" or "sending");
                },
                $"the end of {job.Job.Key} was told"
            );
            Assert.Equal("delivered", told!["state"]!.GetValue<string>());

            ReceivedWebhook[] received = [.. receiver.Received.Where(r => r.Id == told["id"]!.GetValue<string>())];
            Assert.InRange(received.Length, 1, timesMax);
            Assert.All(received, r => Assert.True(r.IsSignedBy(HouseJob.CallbackSecret)));
            Assert.Single(received.Select(static r => r.Text).Distinct());
            JsonNode body = JsonNode.Parse(received[0].Text)!["data"]!;
            ExecutionReply end = await server.PersistAsync(rest => rest.ExecutionAsync(job.Id));
            Assert.Equal((job.Id, end.State), (body["id"]!.GetValue<string>(), body["state"]!.GetValue<string>()));
        }
    }
}
