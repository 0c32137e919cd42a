using System.Text.Json;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>GET /v1/kernels/{id}/comms: what is open between a kernel and its clients; with <c>widgets=true</c> the widgets as ipywidgets saves them into notebooks.</summary>
internal static class CommEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) => routes.MapGet("/v1/kernels/{id}/comms", (RequestDelegate)(async context =>
    {
        KernelId id = KernelId.Parse((string)context.Request.RouteValues["id"]!);
        IReadOnlyList<OpenComm> comms = await Task.Run(() => door.Engine.ListComms.Run(id), context.RequestAborted);
        bool asWidgets = RestQuery.Flag(context, "widgets");
        await RestAnswer.WriteAsync(context, 200, writer =>
        {
            if (asWidgets)
            {
                WriteWidgets(writer, comms);
            }
            else
            {
                Write(writer, id, comms);
            }
        });
    }));

    private static void Write(Utf8JsonWriter writer, KernelId id, IReadOnlyList<OpenComm> comms)
    {
        writer.WriteStartObject();
        writer.WriteString("kernelId", id.Value);
        writer.WriteStartArray("comms");
        foreach (OpenComm comm in comms)
        {
            writer.WriteStartObject();
            writer.WriteString("id", comm.Id);
            writer.WriteString("targetName", comm.TargetName);
            writer.WriteString("targetModule", comm.TargetModule);
            writer.WriteString("messageId", comm.MessageId);
            ExecutionJson.WriteTime(writer, "openedAt", comm.OpenedAt);
            ExecutionJson.WriteTime(writer, "changedAt", comm.ChangedAt);
            writer.WriteNumber("messages", comm.Messages);
            writer.WriteBoolean("truncated", comm.IsTruncated);
            if (comm.OpeningJson.Length > 0)
            {
                writer.WritePropertyName("data");
                writer.WriteRawValue(comm.OpeningJson.Span, skipInputValidation: true);
            }

            if (comm.State is not null)
            {
                WriteState(writer, comm);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    /// <summary>The document that ipywidgets calls application/vnd.jupyter.widget-state+json.</summary>
    private static void WriteWidgets(Utf8JsonWriter writer, IReadOnlyList<OpenComm> comms)
    {
        writer.WriteStartObject();
        writer.WriteNumber("version_major", 2);
        writer.WriteNumber("version_minor", 0);
        writer.WriteStartObject("state");
        foreach (OpenComm comm in comms.Where(static c => c is { State: not null, IsTruncated: false }))
        {
            writer.WriteStartObject(comm.Id);
            foreach ((string name, string from) in (ReadOnlySpan<(string, string)>)
                [("model_name", "_model_name"), ("model_module", "_model_module"), ("model_module_version", "_model_module_version")])
            {
                if (comm.State!.TryGetValue(from, out ReadOnlyMemory<byte> value))
                {
                    writer.WritePropertyName(name);
                    writer.WriteRawValue(value.Span, skipInputValidation: true);
                }
            }

            WriteState(writer, comm);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    private static void WriteState(Utf8JsonWriter writer, OpenComm comm)
    {
        writer.WriteStartObject("state");
        foreach ((string name, ReadOnlyMemory<byte> value) in comm.State!)
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(value.Span, skipInputValidation: true);
        }

        writer.WriteEndObject();
        if (comm.Buffers.Count == 0)
        {
            return;
        }

        writer.WriteStartArray("buffers");
        foreach (CommBuffer buffer in comm.Buffers)
        {
            writer.WriteStartObject();
            writer.WritePropertyName("path");
            writer.WriteRawValue(buffer.Path.Span, skipInputValidation: true);
            writer.WriteString("encoding", "base64");
            writer.WriteBase64String("data", buffer.Bytes.Span);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
