using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Holdfast.SystemTests.Serving;

/// <summary>One server-sent event.</summary>
internal sealed record StreamEvent(string? Id, string? Name, string Data);

/// <summary>A caller of one server's REST door: says what was answered and judges nothing.</summary>
internal sealed class RestClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _token;

    public RestClient(string url, string token)
    {
        Url = url;
        _token = token;
        _http = new HttpClient(
            new SocketsHttpHandler
            {
                PooledConnectionIdleTimeout = TimeSpan.FromSeconds(5),
                UseProxy = false,
                UseCookies = false,
            }
        ) // A login of one caller lets in no other.
        {
            BaseAddress = new Uri(url),
            Timeout = Patience.Limit,
        };
    }

    public string Url { get; }
    public string Token => _token;

    public static JsonObject Shell(string script, params (string Name, string Value)[] environment)
    {
        var job = new JsonObject { ["argv"] = new JsonArray("sh", "-c", script) };
        if (environment.Length > 0)
        {
            var variables = new JsonObject();
            foreach ((string name, string value) in environment)
            {
                variables[name] = value;
            }

            job["env"] = variables;
        }

        return job;
    }

    public Task<RestReply> GetAsync(string path) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    public Task<RestReply> PostAsync(string path, string? body = null, string? idempotencyKey = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        if (idempotencyKey is not null)
        {
            request.Headers.Add("Idempotency-Key", idempotencyKey);
        }

        return SendAsync(request);
    }

    public Task<RestReply> TrySubmitAsync(JsonObject job, string? idempotencyKey = null) =>
        PostAsync("/v1/jobs", job.ToJsonString(), idempotencyKey);

    /// <summary>Submits a job; its id.</summary>
    public async Task<string> SubmitAsync(JsonObject job) => (await TrySubmitAsync(job)).Must(201).Execution.Id;

    public Task<string> SubmitAsync(string script) => SubmitAsync(Shell(script));

    public async Task<ExecutionReply> ExecutionAsync(string id) => (await GetAsync($"/v1/executions/{id}")).Must(200).Execution;

    /// <summary>Waits, over the server's own waiting, until the execution is final.</summary>
    public async Task<ExecutionReply> WaitAsync(string id)
    {
        RestReply reply = await GetAsync($"/v1/executions/{id}/wait?timeoutSeconds={Patience.AskedSeconds}");
        return reply.Status == 200 ? reply.Execution : throw new TimeoutException($"It did not end: {reply.Text}");
    }

    /// <summary>Waits until the execution is in a state, as the server's feed tells.</summary>
    public async Task<ExecutionReply> WaitForStateAsync(string id, string state)
    {
        using var limit = new CancellationTokenSource(Patience.Limit, TimeProvider.System);
        await foreach (StreamEvent change in FollowAsync($"/v1/feed?subject={id}", null, limit.Token))
        {
            if (change.Name == "execution." + state)
            {
                return await ExecutionAsync(id);
            }
        }

        throw new InvalidOperationException("The feed ended.");
    }

    public Task<RestReply> CommandAsync(string id, string verb) => PostAsync($"/v1/executions/{id}/{verb}");

    public Task<RestReply> OutputAsync(string id, string stream = "all", long offset = 0, long? limit = null) =>
        GetAsync(
            string.Create(
                CultureInfo.InvariantCulture,
                $"/v1/executions/{id}/output?stream={stream}&offset={offset}{(limit is null ? "" : $"&limit={limit}")}"
            )
        );

    public async Task<string> OutputTextAsync(string id, string stream = "all") => (await OutputAsync(id, stream)).Must(200).Text;

    /// <summary>Reads an event stream until it ends, from after the event whose id is given.</summary>
    public async IAsyncEnumerable<StreamEvent> FollowAsync(
        string path,
        string? lastEventId,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        using HttpRequestMessage request = WithToken(new HttpRequestMessage(HttpMethod.Get, path));
        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"{path} was answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(cancellationToken)}"
            );
        }

        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        string? id = null;
        string? name = null;
        List<string> data = [];
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                if (data.Count > 0)
                {
                    yield return new StreamEvent(id, name, string.Join('\n', data));
                }

                (id, name, data) = (null, null, []);
            }
            else if (line.StartsWith("id: ", StringComparison.Ordinal))
            {
                id = line[4..];
            }
            else if (line.StartsWith("event: ", StringComparison.Ordinal))
            {
                name = line[7..];
            }
            else if (line.StartsWith("data: ", StringComparison.Ordinal))
            {
                data.Add(line[6..]);
            }
        }
    }

    /// <summary>
    /// Sends what was put together by hand, as it is; the token is added unless the request has credentials, or says that it wants none.
    /// </summary>
    public async Task<RestReply> SendAsync(HttpRequestMessage request, bool withToken = true)
    {
        using HttpRequestMessage sent = withToken ? WithToken(request) : request;
        using HttpResponseMessage response = await _http.SendAsync(sent);
        return new RestReply((int)response.StatusCode, response, await response.Content.ReadAsByteArrayAsync());
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage WithToken(HttpRequestMessage request)
    {
        if (request.Headers.Authorization is null)
        {
            request.Headers.Add("Authorization", "Bearer " + _token);
        }

        return request;
    }
}
