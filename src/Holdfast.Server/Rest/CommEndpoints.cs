using System.Text.Json;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>
/// GET /v1/kernels/{id}/comms: what is open between a kernel and its clients; with <c>widgets=true</c> the widgets as ipywidgets saves them
/// into notebooks.
/// </summary>
internal static class CommEndpoints
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapGet(
            "/v1/kernels/{id}/comms",
            (RequestDelegate)(
                async context =>
                {
                    KernelId id = KernelId.Parse((string)context.Request.RouteValues["id"]!);
                    IReadOnlyList<OpenComm> comms = await Task.Run(() => door.Engine.ListComms.Run(id), context.RequestAborted);
                    bool asWidgets = RestQuery.Flag(context, "widgets");
                    await RestAnswer.WriteAsync(
                        context,
                        200,
                        writer =>
                        {
                            if (asWidgets)
                            {
                                WidgetState.Write(writer, comms);
                            }
                            else
                            {
                                Write(writer, id, comms);
                            }
                        }
                    );
                }
            )
        );

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
                WidgetState.WriteModel(writer, comm);
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
