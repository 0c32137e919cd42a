using System.Text;
using System.Text.Json;

namespace Holdfast.Protocol.Jupyter;

/// <summary>A kernel that can be started, as its kernel.json describes it. Starts nothing itself.</summary>
public sealed class KernelSpec
{
    /// <summary>The folder's name in lower case, as Jupyter lists it.</summary>
    public required string Name { get; init; }

    /// <summary>The folder that holds kernel.json, logos and the like.</summary>
    public required string ResourceDirectory { get; init; }

    public required string DisplayName { get; init; }
    public required string Language { get; init; }

    /// <summary>As written; <see cref="ResolveArgv"/> makes it a command.</summary>
    public required IReadOnlyList<string> Argv { get; init; }

    /// <summary><c>signal</c> or <c>message</c>.</summary>
    public required string InterruptMode { get; init; }

    /// <summary>As written; <see cref="ResolveEnvironment"/> fills in the variables.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The metadata object as JSON, <c>{}</c> when there is none.</summary>
    public required string MetadataJson { get; init; }

    /// <summary>kernel.json as it lies on disk, for doors that serve it whole.</summary>
    public required string Json { get; init; }

    /// <summary>
    /// The prefix this spec is installed under (<c>PREFIX/share/jupyter/kernels/NAME</c>), or null. Wheels install kernelspecs whose
    /// command is a bare <c>python</c>, meaning the interpreter of their own environment.
    /// </summary>
    public string? Prefix
    {
        get
        {
            string? kernels = Path.GetDirectoryName(ResourceDirectory);
            string suffix = Path.Combine("share", "jupyter", "kernels");
            return
                kernels is not null
                && kernels.Length > suffix.Length + 1
                && kernels.EndsWith(Path.DirectorySeparatorChar + suffix, StringComparison.Ordinal)
                ? kernels[..^(suffix.Length + 1)]
                : null;
        }
    }

    /// <summary>The command with <c>{resource_dir}</c> and <c>{prefix}</c> replaced; <c>{connection_file}</c> is left for who writes that
    /// file.</summary>
    public string[] ResolveArgv()
    {
        string? prefix = Prefix;
        var argv = new string[Argv.Count];
        for (int i = 0; i < argv.Length; i++)
        {
            argv[i] = Argv[i].Replace("{resource_dir}", ResourceDirectory, StringComparison.Ordinal);
            argv[i] = prefix is null ? argv[i] : argv[i].Replace("{prefix}", prefix, StringComparison.Ordinal);
        }

        if (argv[0] is "python" or "python3" && prefix is not null && File.Exists(Path.Combine(prefix, "bin", argv[0])))
        {
            argv[0] = Path.Combine(prefix, "bin", argv[0]);
        }

        return argv;
    }

    /// <summary>
    /// What the spec adds to the environment given, with <c>${NAME}</c>, <c>$NAME</c> and <c>$$</c> replaced as Python's
    /// string.Template.safe_substitute does, which is what Jupyter uses: an unknown name stays as it is written.
    /// </summary>
    public Dictionary<string, string> ResolveEnvironment(IReadOnlyDictionary<string, string> environment)
    {
        var resolved = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach ((string name, string value) in Environment)
        {
            resolved[name] = Substitute(value, environment);
        }

        return resolved;
    }

    /// <summary>
    /// <c>ipc</c> where the kernel is known to speak it: no ports to lose to another process, and guarded by the folder. Else <c>tcp</c>.
    /// A spec can say for itself:
    /// <c>"metadata": {"holdfast": {"transport": "ipc"}}</c>.
    /// </summary>
    public string Transport
    {
        get
        {
            using var metadata = JsonDocument.Parse(MetadataJson);
            if (
                metadata.RootElement.ValueKind == JsonValueKind.Object
                && metadata.RootElement.TryGetProperty("holdfast", out JsonElement ours)
                && ours.ValueKind == JsonValueKind.Object
                && ours.TryGetProperty("transport", out JsonElement transport)
                && transport.ValueKind == JsonValueKind.String
                && transport.GetString() is "ipc" or "tcp"
            )
            {
                return transport.GetString()!;
            }

            return SpeaksIpc() ? "ipc" : "tcp";
        }
    }

    /// <summary>Reads a spec out of the text of its kernel.json. Throws <see cref="FormatException"/> saying which field is
    /// wrong.</summary>
    public static KernelSpec Parse(string name, string resourceDirectory, string json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json);
        }
        catch (JsonException e)
        {
            throw new FormatException($"kernel.json is not valid JSON at line {e.LineNumber + 1}: {e.Message}");
        }

        using (document)
        {
            JsonElement root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException("kernel.json is not a JSON object.");
            }

            string interruptMode = Text(root, "interrupt_mode") ?? "signal";
            return new KernelSpec
            {
                Name = name,
                ResourceDirectory = resourceDirectory,
                Argv = ReadArgv(root),
                DisplayName = Text(root, "display_name") ?? name,
                Language = Text(root, "language") ?? "",
                InterruptMode = interruptMode is "signal" or "message"
                    ? interruptMode
                    : throw new FormatException($"kernel.json: interrupt_mode is \"{interruptMode}\"; it may be signal or message."),
                Environment = ReadEnvironment(root),
                MetadataJson =
                    root.TryGetProperty("metadata", out JsonElement metadata) && metadata.ValueKind == JsonValueKind.Object
                        ? metadata.GetRawText()
                        : "{}",
                Json = json,
            };
        }
    }

    private bool SpeaksIpc()
    {
        foreach (string argument in Argv)
        {
            if (argument.Contains("ipykernel", StringComparison.Ordinal) || argument.Contains("xeus", StringComparison.Ordinal))
            {
                return true;
            }
        }

        // The kernels built on xeus; their programs need not say so in their names.
        return Path.GetFileName(Argv[0]) is "xpython" or "xpython-raw" or "xcpp" or "xr" or "xlua" or "xsqlite";
    }

    private static string Substitute(string template, IReadOnlyDictionary<string, string> environment)
    {
        var text = new StringBuilder(template.Length);
        int at = 0;
        while (at < template.Length)
        {
            int dollar = template.IndexOf('$', at);
            if (dollar < 0)
            {
                break;
            }

            text.Append(template, at, dollar - at);
            if (dollar + 1 < template.Length && template[dollar + 1] == '$')
            {
                text.Append('$');
                at = dollar + 2;
                continue;
            }

            bool isBraced = dollar + 1 < template.Length && template[dollar + 1] == '{';
            int start = dollar + (isBraced ? 2 : 1);
            int end = start;
            while (end < template.Length && IsInName(template[end], isFirst: end == start))
            {
                end++;
            }

            bool isName = end > start && (!isBraced || (end < template.Length && template[end] == '}'));
            int after = isName ? end + (isBraced ? 1 : 0) : dollar + 1;
            text.Append(isName && environment.TryGetValue(template[start..end], out string? value) ? value : template[dollar..after]);
            at = after;
        }

        return text.Append(template, at, template.Length - at).ToString();
    }

    private static bool IsInName(char c, bool isFirst) => c == '_' || char.IsAsciiLetter(c) || (!isFirst && char.IsAsciiDigit(c));

    private static string[] ReadArgv(JsonElement root)
    {
        if (!root.TryGetProperty("argv", out JsonElement argv) || argv.ValueKind != JsonValueKind.Array || argv.GetArrayLength() == 0)
        {
            throw new FormatException("kernel.json: argv is missing, empty or no list.");
        }

        var values = new List<string>();
        foreach (JsonElement argument in argv.EnumerateArray())
        {
            values.Add(
                argument.ValueKind == JsonValueKind.String
                    ? argument.GetString()!
                    : throw new FormatException("kernel.json: argv holds something other than text.")
            );
        }

        return values.ToArray();
    }

    private static Dictionary<string, string> ReadEnvironment(JsonElement root)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        if (root.TryGetProperty("env", out JsonElement environment) && environment.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty variable in environment.EnumerateObject())
            {
                values[variable.Name] =
                    variable.Value.ValueKind == JsonValueKind.String
                        ? variable.Value.GetString()!
                        : throw new FormatException($"kernel.json: env.{variable.Name} is not text.");
            }
        }

        return values;
    }

    private static string? Text(JsonElement root, string name)
    {
        if (!root.TryGetProperty(name, out JsonElement value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw new FormatException($"kernel.json: {name} is not text.");
    }
}
