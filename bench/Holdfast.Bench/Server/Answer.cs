using System.Text;
using System.Text.Json.Nodes;

namespace Holdfast.Bench.Server;

/// <summary>What the server answered.</summary>
internal sealed record Answer(int Status, byte[] Body)
{
    /// <summary>The body as JSON, of an answer that is as good as was hoped.</summary>
    public JsonNode Json =>
        Status is >= 200 and < 300
            ? JsonNode.Parse(Body)!
            : throw new IOException($"The server answered {Status}: {Encoding.UTF8.GetString(Body)}");
}
