using Holdfast.Engine.Contents;

namespace Holdfast.Server.Jupyter.Contents;

/// <summary>A file's checkpoints: list, make, restore, delete.</summary>
internal static class CheckpointEndpoints
{
    public static async Task ListAsync(HttpContext context, ContentsOperations contents, ContentsPath file)
    {
        IReadOnlyList<CheckpointModel> checkpoints = await Task.Run(() => contents.ListCheckpoints.Run(file), context.RequestAborted);
        await JupyterAnswer.WriteAsync(
            context,
            StatusCodes.Status200OK,
            writer =>
            {
                writer.WriteStartArray();
                foreach (CheckpointModel checkpoint in checkpoints)
                {
                    ContentsJson.Write(writer, checkpoint);
                }

                writer.WriteEndArray();
            }
        );
    }

    public static async Task CreateAsync(HttpContext context, ContentsOperations contents, ContentsPath file)
    {
        CheckpointModel checkpoint = await contents.CreateCheckpoint.RunAsync(file);
        context.Response.Headers.Location = $"{ContentsEndpoints.Location(context, file)}/checkpoints/{checkpoint.Id}";
        await JupyterAnswer.WriteAsync(context, StatusCodes.Status201Created, writer => ContentsJson.Write(writer, checkpoint));
    }

    public static async Task RestoreAsync(HttpContext context, ContentsOperations contents, ContentsPath file, string id)
    {
        await contents.RestoreCheckpoint.RunAsync(file, id);
        await JupyterAnswer.EmptyAsync(context);
    }

    public static async Task DeleteAsync(HttpContext context, ContentsOperations contents, ContentsPath file, string id)
    {
        await Task.Run(() => contents.DeleteCheckpoint.Run(file, id), CancellationToken.None);
        await JupyterAnswer.EmptyAsync(context);
    }
}
