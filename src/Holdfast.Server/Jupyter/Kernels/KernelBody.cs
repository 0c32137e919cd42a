using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Kernels;

namespace Holdfast.Server.Jupyter.Kernels;

/// <summary>
/// What a client may say of a kernel it wants: name, path (a folder or notebook under the root), env, and kernel_id. Gateway clients send
/// the working directory as KERNEL_WORKING_DIR in env; it is theirs, and is taken when this machine has it.
/// </summary>
internal static class KernelBody
{
    private const string WorkingDirectory = "KERNEL_WORKING_DIR";

    public static StartKernelRequest Read(JsonElement body, string root)
    {
        IReadOnlyDictionary<string, string> environment = Environment(body);
        string? asked = environment.GetValueOrDefault(WorkingDirectory);
        return new StartKernelRequest
        {
            SpecName = JupyterBody.Text(body, "name"),
            WorkingDirectory =
                asked is not null && Path.IsPathRooted(asked) && Directory.Exists(asked)
                    ? asked
                    : KernelDirectory.For(root, JupyterBody.Text(body, "path")),
            Environment = environment,
            Id = JupyterBody.Text(body, "kernel_id") is { } id ? new KernelId(id) : null,
        };
    }

    private static Dictionary<string, string> Environment(JsonElement body)
    {
        var variables = new Dictionary<string, string>();
        if (!body.TryGetProperty("env", out JsonElement env) || env.ValueKind == JsonValueKind.Null)
        {
            return variables;
        }

        if (env.ValueKind != JsonValueKind.Object)
        {
            throw new RefusedException(ErrorCodes.InvalidRequest, "env must be an object of texts.");
        }

        foreach (JsonProperty variable in env.EnumerateObject())
        {
            variables[variable.Name] = variable.Value.ValueKind switch
            {
                JsonValueKind.String => variable.Value.GetString()!,
                JsonValueKind.Null => "",
                _ => variable.Value.GetRawText(), // Gateway clients send numbers as numbers.
            };
        }

        return variables;
    }
}
