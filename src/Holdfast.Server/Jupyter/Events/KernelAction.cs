using System.Text.Json;
using Holdfast.Engine.Feed;

namespace Holdfast.Server.Jupyter.Events;

/// <summary>What became of a kernel, as Jupyter Server's event <c>kernel_actions</c> says it.</summary>
internal static class KernelAction
{
    private const string Schema = "https://events.jupyter.org/jupyter_server/kernel_actions/v1";

    /// <summary>Null for changes that are none of these.</summary>
    public static byte[]? Of(FeedEvent change)
    {
        (string? action, string message) = change.Kind switch
        {
            "kernel.running" => ("start", "The kernel answers."),
            "kernel.restarting" => ("restart", "The kernel is being restarted."),
            "kernel.stopped" => ("shutdown", "The kernel was stopped."),
            "kernel.dead" => ("shutdown", "The kernel died."),
            _ => (null, ""),
        };
        if (action is null)
        {
            return null;
        }

        using var body = JsonDocument.Parse(change.Body);
        return EventText.Write(
            Schema,
            writer =>
            {
                writer.WriteString("action", action);
                writer.WriteString(
                    "msg",
                    body.RootElement.TryGetProperty("reason", out JsonElement reason) && reason.ValueKind == JsonValueKind.String
                        ? reason.GetString()
                        : message
                );
                writer.WriteString("kernel_id", change.Subject);
                writer.WriteString("kernel_name", body.RootElement.GetProperty("name").GetString());
                writer.WriteString("status", change.Kind == "kernel.dead" ? "error" : "success");
            }
        );
    }
}
