using System.Globalization;
using System.Net;
using Holdfast.Engine.Callbacks;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Callbacks;

/// <summary>One attempt against receivers of every kind, over real sockets.</summary>
public sealed class WebhookSenderTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static readonly AddressGuard Loopback = new([IPNetwork.Parse("127.0.0.0/8")]);

    public static TheoryData<string, CallbackVerdict> Answers =>
        new()
        {
            { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", CallbackVerdict.Delivered },
            { "HTTP/1.1 204 No Content\r\n\r\n", CallbackVerdict.Delivered },
            { "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", CallbackVerdict.Delivered }, // Less than it said,
            { "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabcdef", CallbackVerdict.Delivered }, // or more,
            { "HTTP/1.1 200 OK\r\nContent-Length: 9999999999999\r\n\r\n", CallbackVerdict.Delivered },
            // or nonsense: the status has been given.
            { "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZZ\r\nnonsense", CallbackVerdict.Delivered },
            { "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno", CallbackVerdict.Delivered },
            { "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", CallbackVerdict.Refused },
            { "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", CallbackVerdict.Gone },
            { "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", CallbackVerdict.Failed },
            { "HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", CallbackVerdict.Failed },
            { "HTTP/1.1 99999 What\r\n\r\n", CallbackVerdict.Failed },
            { "", CallbackVerdict.Failed },
            { "HTTP/1.1 200", CallbackVerdict.Failed },
            { "HTTP/1.1 200 OK\r\nContent-Le", CallbackVerdict.Failed },
            { "\0\u0001\u0002 nonsense \u00ff\r\n\r\n", CallbackVerdict.Failed },
            { "SSH-2.0-OpenSSH_9.6\r\n", CallbackVerdict.Failed },
            { "HTTP/1.1 200 OK\r\nX: " + new string('x', 100_000) + "\r\n\r\n", CallbackVerdict.Failed },
        };

    [Theory]
    [MemberData(nameof(Answers))]
    public async Task A_receiver_may_say_what_it_likes_and_only_the_status_counts(string answer, CallbackVerdict verdict)
    {
        using var receiver = new RawReceiver(answer);
        CallbackAnswer judged = await SendAsync(Url(receiver));
        Assert.Equal(verdict, judged.Verdict);
        Assert.Equal(verdict == CallbackVerdict.Delivered, judged.Error is null);
        Assert.True(judged.Head is null or { Length: <= CallbackLimits.AnswerBytesMax });
    }

    [Fact]
    public async Task A_connection_that_is_reset_is_a_failure()
    {
        using var receiver = new RawReceiver("HT", isReset: true);
        Assert.Equal(CallbackVerdict.Failed, (await SendAsync(Url(receiver))).Verdict);
    }

    [Fact]
    public async Task Nobody_at_home_is_a_failure()
    {
        string url;
        using (var receiver = new RawReceiver(null))
        {
            url = Url(receiver);
        }

        Assert.Equal(CallbackVerdict.Failed, (await SendAsync(url)).Verdict);
    }

    [Fact]
    public async Task What_is_sent_is_what_Standard_Webhooks_says()
    {
        using var receiver = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        await SendAsync(Url(receiver));
        string[] request = (await receiver.RequestAsync()).Split("\r\n");
        Assert.Equal("POST /hook?x=1 HTTP/1.1", request[0]);
        Assert.Contains("webhook-id: 01kcq8v6t0e9m3n5p7r9s1v3x7", request);
        long timestamp = long.Parse(
            Assert.Single(request, static l => l.StartsWith("webhook-timestamp: ", StringComparison.Ordinal)).Split(' ')[1],
            CultureInfo.InvariantCulture
        );
        Assert.Contains(
            $"webhook-signature: {WebhookSignature.Sign([Secret], "01kcq8v6t0e9m3n5p7r9s1v3x7", timestamp, "{\"a\":1}"u8)}",
            request
        );
        Assert.Contains("Content-Type: application/json", request);
        Assert.Equal("{\"a\":1}", request[^1]);
        Assert.DoesNotContain(request, static l => l.StartsWith("traceparent", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task A_redirect_is_not_followed()
    {
        using var elsewhere = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        using var receiver = new RawReceiver($"HTTP/1.1 307 Elsewhere\r\nLocation: {Url(elsewhere)}\r\nContent-Length: 0\r\n\r\n");
        CallbackAnswer judged = await SendAsync(Url(receiver));
        Assert.Equal((CallbackVerdict.Failed, 307), (judged.Verdict, judged.Status));
        Assert.Equal(0, elsewhere.Connections);
    }

    [Theory]
    [InlineData("Retry-After: 120", 120)]
    [InlineData("Retry-After: Wed, 01 Jan 2200 00:00:00 GMT", double.PositiveInfinity)]
    [InlineData("Retry-After: Thu, 01 Jan 1970 00:00:00 GMT", 0)]
    [InlineData("Retry-After: -5", 0)]
    [InlineData("Retry-After: soon", 0)]
    public async Task The_time_that_a_receiver_asks_for_is_read(string header, double seconds)
    {
        using var receiver = new RawReceiver($"HTTP/1.1 503 Later\r\n{header}\r\nContent-Length: 0\r\n\r\n");
        TimeSpan asked = (await SendAsync(Url(receiver))).RetryAfter;
        Assert.True(
            double.IsPositiveInfinity(seconds) ? asked > TimeSpan.FromDays(365) : asked == TimeSpan.FromSeconds(seconds),
            asked.ToString()
        );
    }

    [Fact]
    public async Task Silence_is_waited_for_thirty_seconds()
    {
        var clock = new FakeClock();
        using var receiver = new RawReceiver(null);
        using var sender = new WebhookSender(new GuardedConnection(Loopback), clock);
        Task<CallbackAnswer> sending = sender.SendAsync(Callback(Url(receiver)), TestContext.Current.CancellationToken);
        await receiver.RequestAsync();
        clock.Turn(TimeSpan.FromSeconds(29));
        Assert.False(sending.IsCompleted);
        clock.Turn(TimeSpan.FromSeconds(1));
        CallbackAnswer judged = await sending;
        Assert.Equal(CallbackVerdict.Failed, judged.Verdict);
        Assert.Contains("30 seconds", judged.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_stands_for_a_private_address_is_not_connected_to()
    {
        using var receiver = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        CallbackAnswer judged = await SendAsync(
            $"http://innocent.example:{receiver.Port.ToString(CultureInfo.InvariantCulture)}/hook",
            new AddressGuard([]),
            IPAddress.Loopback,
            IPAddress.Parse("::ffff:127.0.0.1"),
            IPAddress.Parse("10.0.0.1")
        );
        Assert.Equal(CallbackVerdict.Failed, judged.Verdict);
        Assert.Contains("HOLDFAST_CALLBACKS_ALLOW", judged.Error, StringComparison.Ordinal);
        Assert.Equal(0, receiver.Connections);
    }

    [Fact]
    public async Task Of_several_addresses_only_those_that_are_allowed_are_tried()
    {
        using var receiver = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        string url = $"http://mixed.example:{receiver.Port.ToString(CultureInfo.InvariantCulture)}/hook";
        Assert.Equal(
            CallbackVerdict.Delivered,
            (await SendAsync(url, Loopback, IPAddress.Parse("10.0.0.1"), IPAddress.IPv6Loopback, IPAddress.Loopback)).Verdict
        );
    }

    [Fact]
    public async Task An_address_of_the_old_kind_in_the_dress_of_the_new_is_judged_and_reached_as_what_it_is()
    {
        using var receiver = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        string url = $"http://mapped.example:{receiver.Port.ToString(CultureInfo.InvariantCulture)}/hook";
        Assert.Equal(CallbackVerdict.Delivered, (await SendAsync(url, Loopback, IPAddress.Loopback.MapToIPv6())).Verdict);
        Assert.NotEqual(CallbackVerdict.Delivered, (await SendAsync(url, Loopback, IPAddress.Parse("10.0.0.1").MapToIPv6())).Verdict);
    }

    [Fact]
    public async Task A_name_is_resolved_once_for_a_connection_so_that_it_cannot_change_its_mind()
    {
        int asked = 0;
        using var receiver = new RawReceiver("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        var connection = new GuardedConnection(
            Loopback,
            (_, _) => Task.FromResult<IPAddress[]>([asked++ == 0 ? IPAddress.Loopback : IPAddress.Parse("10.0.0.1")])
        );
        using var sender = new WebhookSender(connection, TimeProvider.System);
        string url = $"http://rebinding.example:{receiver.Port.ToString(CultureInfo.InvariantCulture)}/hook";
        Assert.Equal(CallbackVerdict.Delivered, (await sender.SendAsync(Callback(url), TestContext.Current.CancellationToken)).Verdict);
        Assert.Equal(1, asked);
    }

    private static string Url(RawReceiver receiver) => $"http://127.0.0.1:{receiver.Port.ToString(CultureInfo.InvariantCulture)}/hook?x=1";

    private static Task<CallbackAnswer> SendAsync(string url) => SendAsync(url, Loopback);

    private static async Task<CallbackAnswer> SendAsync(string url, AddressGuard guard, params IPAddress[] addresses)
    {
        using var sender = new WebhookSender(new GuardedConnection(guard, (_, _) => Task.FromResult(addresses)), TimeProvider.System);
        return await sender.SendAsync(Callback(url), TestContext.Current.CancellationToken);
    }

    private static Callback Callback(string url) =>
        new()
        {
            Sequence = 1,
            Id = new CallbackId("01kcq8v6t0e9m3n5p7r9s1v3x7"),
            Kind = CallbackSubject.Execution,
            SubjectId = "01kcq8v6t0e9m3n5p7r9s1v3x5",
            CreatedAt = 0,
            Attempts = 1,
            Order = new CallbackOrder { Url = url, Secrets = [Secret] },
            Status = new CallbackStatus(CallbackState.Sending, 0, 0),
            Type = "execution.succeeded",
            Body = "{\"a\":1}"u8.ToArray(),
        };
}
