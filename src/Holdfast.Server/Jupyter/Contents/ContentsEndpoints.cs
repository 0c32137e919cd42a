using Holdfast.Engine;
using Holdfast.Engine.Contents;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter.Contents;

/// <summary>
/// <c>/api/contents</c>: files, notebooks and folders under the root, with their checkpoints and trust. A path that ends in
/// <c>checkpoints</c> or <c>trust</c> speaks of the file before it; where that is no file, it is a name like any other, so that folders of
/// these names can be used.
/// </summary>
internal static class ContentsEndpoints
{
    private const string Prefix = "/api/contents";

    private delegate Task Answer(HttpContext context, ContentsOperations contents, ContentsPath path);

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        foreach (string pattern in (string[])[Prefix, Prefix + "/{**path}"])
        {
            routes.MapGet(pattern, On(door, GetAsync));
            routes.MapPost(pattern, On(door, PostAsync));
            routes.MapPut(pattern, On(door, PutAsync));
            routes.MapPatch(pattern, On(door, PatchAsync));
            routes.MapDelete(pattern, On(door, DeleteAsync));
        }
    }

    private static RequestDelegate On(EngineDoor door, Answer answer) =>
        context => answer(context, door.Engine.Contents, ContentsRequest.PathAfter(context, Prefix));

    private static async Task GetAsync(HttpContext context, ContentsOperations contents, ContentsPath path)
    {
        if (path.Name == "checkpoints" && IsFile(contents, path.Parent))
        {
            await CheckpointEndpoints.ListAsync(context, contents, path.Parent);
            return;
        }

        ContentsQuery query = ContentsRequest.Query(context, path);
        ContentsModel model = await Task.Run(() => contents.Get.RunAsync(query, context.RequestAborted), context.RequestAborted);
        await ContentsJson.WriteAsync(context, StatusCodes.Status200OK, model);
    }

    private static async Task PostAsync(HttpContext context, ContentsOperations contents, ContentsPath path)
    {
        if (path.Name == "checkpoints" && IsFile(contents, path.Parent))
        {
            await CheckpointEndpoints.CreateAsync(context, contents, path.Parent);
            return;
        }

        if (path.Parent.Name == "checkpoints" && IsFile(contents, path.Parent.Parent))
        {
            await CheckpointEndpoints.RestoreAsync(context, contents, path.Parent.Parent, path.Name);
            return;
        }

        if (path.Name == "trust" && IsFile(contents, path.Parent))
        {
            ContentsModel trusted = await Task.Run(() => contents.Trust.Run(path.Parent), CancellationToken.None);
            await ContentsJson.WriteAsync(context, StatusCodes.Status201Created, trusted);
            return;
        }

        ContentsRequest request = await ContentsRequest.ReadAsync(context);
        ContentsModel made = await Task.Run(
            () =>
                request.CopyFrom is { } from
                    ? contents.Copy.RunAsync(ContentsPath.Parse(from), path)
                    : Task.FromResult(contents.CreateUntitled.Run(path, request.Type, request.Extension)),
            CancellationToken.None
        );
        await CreatedAsync(context, made);
    }

    private static async Task PutAsync(HttpContext context, ContentsOperations contents, ContentsPath path)
    {
        ContentsRequest request = await ContentsRequest.ReadAsync(context);
        if (!request.HasBody)
        {
            await CreatedAsync(context, await Task.Run(() => contents.CreateUntitled.Run(path, null, ""), CancellationToken.None));
            return;
        }

        if (request.CopyFrom is not null)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "A copy is made by POST to the folder it goes to, not by PUT.");
        }

        ContentsType type = request.Type ?? (path.IsNotebook ? ContentsType.Notebook : ContentsType.File);
        var wanted = new ContentsToSave(path, type) { Format = request.Format, Content = request.Content };
        SavedContents saved = await Task.Run(
            () => request.Chunk is { } chunk ? Task.FromResult(contents.Upload.Run(wanted, chunk)) : contents.Save.RunAsync(wanted),
            CancellationToken.None
        );
        if (saved.IsNew)
        {
            await CreatedAsync(context, saved.Model);
            return;
        }

        await ContentsJson.WriteAsync(context, StatusCodes.Status200OK, saved.Model);
    }

    private static async Task PatchAsync(HttpContext context, ContentsOperations contents, ContentsPath path)
    {
        ContentsRequest request = await ContentsRequest.ReadAsync(context);
        ContentsPath target = request.Path is { } wanted
            ? ContentsPath.Parse(wanted)
            : throw new RefusedException(ErrorCodes.InvalidRequest, "The field 'path' is missing: where the file or folder is to go.");
        ContentsModel moved = await contents.Rename.RunAsync(path, target);
        context.Response.Headers.Location = Location(context, moved.Path);
        await ContentsJson.WriteAsync(context, StatusCodes.Status200OK, moved);
    }

    private static async Task DeleteAsync(HttpContext context, ContentsOperations contents, ContentsPath path)
    {
        if (path.Parent.Name == "checkpoints" && IsFile(contents, path.Parent.Parent))
        {
            await CheckpointEndpoints.DeleteAsync(context, contents, path.Parent.Parent, path.Name);
            return;
        }

        await contents.Delete.RunAsync(path);
        await JupyterAnswer.EmptyAsync(context);
    }

    private static Task CreatedAsync(HttpContext context, ContentsModel model)
    {
        context.Response.Headers.Location = Location(context, model.Path);
        return ContentsJson.WriteAsync(context, StatusCodes.Status201Created, model);
    }

    internal static string Location(HttpContext context, ContentsPath path) =>
        $"{context.Request.PathBase}{Prefix}/{string.Join('/', path.Text.Split('/').Select(Uri.EscapeDataString))}";

    private static bool IsFile(ContentsOperations contents, ContentsPath path)
    {
        try
        {
            return contents.Get.Run(new ContentsQuery(path) { WithContent = false }).Type != ContentsType.Directory;
        }
        catch (RefusedException)
        {
            return false;
        }
    }
}
