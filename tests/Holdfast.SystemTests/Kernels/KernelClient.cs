using System.Globalization;
using System.Text;
using System.Text.Json;
using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Kernels;

/// <summary>
/// A Jupyter client of a kernel that a server started, without the door: it hands its messages to the kernel's supervisor as the server
/// would, also while there is no server.
/// </summary>
internal sealed class KernelClient : IDisposable
{
    private readonly TestServer _server;
    private readonly LinkClient _link;
    private int _count;

    private KernelClient(TestServer server, string id, AttemptFiles files, LinkClient link) =>
        (_server, KernelId, Files, _link) = (server, id, files, link);

    public string KernelId { get; }
    public AttemptFiles Files { get; }

    /// <summary>Starts a kernel by REST.</summary>
    public static async Task<KernelClient> StartAsync(TestServer server, string name = "python3")
    {
        JsonElement kernel = await server.PersistAsync(async rest =>
            (await rest.PostAsync("/v1/kernels", $$"""{"name":"{{name}}"}""")).Must(201).Json
        );
        return Connect(server, kernel.GetProperty("id").GetString()!);
    }

    /// <summary>A client of the only kernel there is.</summary>
    public static KernelClient Connect(TestServer server, string id)
    {
        string folder = Directory.EnumerateDirectories(Path.Combine(server.Data, "attempts")).Max(StringComparer.Ordinal)!;
        var files = new AttemptFiles(folder);
        var supervisor = SupervisorRecord.Read(File.ReadAllBytes(files.Supervisor));
        return new KernelClient(
            server,
            id,
            files,
            LinkClient.TryConnect(supervisor.Socket, supervisor.Nonce)
                ?? throw new InvalidOperationException("Its supervisor does not listen.")
        );
    }

    /// <summary>Sends a cell; its msg_id.</summary>
    public string Execute(string code, string metadata = "{}", bool silent = false, bool allowStdin = false)
    {
        string id = string.Create(CultureInfo.InvariantCulture, $"{Guid.NewGuid():N}_{++_count}");
        JupyterHeader header = JupyterHeader.Create(
            "execute_request",
            id,
            "the session of a client",
            "ada",
            TimeProvider.System.GetUtcNow()
        );
        byte[] content = JupyterEnvelope.ExecuteContent(code, silent, storeHistory: !silent, allowStdin: allowStdin);
        _link.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Send,
                Channel = "shell",
                Body = JupyterEnvelope.Build(header, content, Encoding.UTF8.GetBytes(metadata)),
            }
        );
        return id;
    }

    /// <summary>The execution of a message, once there is one and it is in a state.</summary>
    public async Task<JsonElement> ExecutionAsync(string messageId, params string[] states)
    {
        JsonElement found = default;
        await Patience.UntilAsync(
            async () =>
            {
                found = (await ExecutionsAsync(_server)).FirstOrDefault(e => e.GetProperty("messageId").GetString() == messageId);
                return found.ValueKind == JsonValueKind.Object && states.Contains(found.GetProperty("state").GetString());
            },
            () => $"cell {messageId} was {string.Join(" or ", states)}; it is {found}"
        );
        return found;
    }

    /// <summary>The clients' cells there are, newest first.</summary>
    public static async Task<List<JsonElement>> ExecutionsAsync(TestServer server)
    {
        JsonElement page = await server.PersistAsync(async rest =>
            (await rest.GetAsync("/v1/executions?kind=cell&limit=1000")).Must(200).Json
        );
        // Those of runs have none.
        return [.. page.GetProperty("executions").EnumerateArray().Where(static e => e.TryGetProperty("messageId", out _))];
    }

    public void Dispose() => _link.Dispose();
}
