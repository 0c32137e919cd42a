using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Holdfast.Soak.Books;
using Holdfast.SystemTests.Serving;

namespace Holdfast.Soak.Load;

/// <summary>
/// A receiver of callbacks that lives through everything, and refuses, limits or hangs up at the first tries of every other.
/// </summary>
internal sealed class Hooks : IDisposable
{
    private readonly ConcurrentDictionary<string, ConcurrentQueue<ReceivedWebhook>> _received = new();
    private readonly WebhookReceiver _receiver;

    public Hooks() => _receiver = new WebhookReceiver(Answer);

    public string Url(string key) => _receiver.Url("/" + key);

    /// <summary>The outcome was told: under one id, with the same bytes each time, signed; and the server knows that it was.</summary>
    public async Task CheckAsync(Stage stage, string execution, string state)
    {
        JsonElement told = default;
        await Patience.UntilAsync(
            async () =>
            {
                JsonElement list = (await stage.House.PersistAsync(rest => rest.GetAsync("/v1/callbacks?executionId=" + execution)))
                    .Must(200)
                    .Json;
                told =
                    list.GetArrayLength() == 1
                        ? list[0]
                        : throw new InvalidOperationException($"{execution} should have one callback: {list}");
                return told.GetProperty("state").GetString() is not ("waiting" or "pending" or "sending");
            },
            $"the end of {execution} was told"
        );
        ReceivedWebhook[] received = [.. _received.GetValueOrDefault(told.GetProperty("id").GetString()!, [])];
        stage.Ledger.Did("callbacks told");
        stage.Ledger.Did("callbacks sent", received.Length);
        bool isRight =
            told.GetProperty("state").GetString() == "delivered"
            && received.Length > 0
            && Array.TrueForAll(received, static r => r.IsSignedBy(HouseJob.CallbackSecret))
            && received.Select(static r => r.Text).Distinct().Count() == 1;
        if (isRight)
        {
            using var body = JsonDocument.Parse(received[0].Text);
            JsonElement data = body.RootElement.GetProperty("data");
            isRight = data.GetProperty("id").GetString() == execution && data.GetProperty("state").GetString() == state;
        }

        if (!isRight)
        {
            stage.Ledger.Break(
                Fault.CallbackUntold,
                $"{execution} is {state}; the receiver got {received.Length} ({received.FirstOrDefault()?.Text}): {told}"
            );
        }
    }

    public void Dispose() => _receiver.Dispose();

    private string? Answer(ReceivedWebhook request)
    {
        ConcurrentQueue<ReceivedWebhook> before = _received.GetOrAdd(request.Id, static _ => new ConcurrentQueue<ReceivedWebhook>());
        before.Enqueue(request);

        // By the address, so that the same job is treated the same way however often it is told of.
        int number = int.Parse(request.Path[(request.Path.LastIndexOf('-') + 1)..], CultureInfo.InvariantCulture);
        return (number % 6, before.Count) switch
        {
            (1, 1) => WebhookReceiver.Status(500, "not yet"),
            (2, 1 or 2) => WebhookReceiver.Status(429, "", "Retry-After: 0"),
            (3, 1) => null,
            _ => WebhookReceiver.Status(200),
        };
    }
}
