namespace Holdfast.Engine.Jobs;

/// <summary>Refuses a request that could not run, naming the field, the limit and the remedy.</summary>
internal static class JobRequestCheck
{
    public static void ThrowIfInvalid(JobRequest request, string? idempotencyKey)
    {
        if (request.Argv is not { Count: > 0 } argv || string.IsNullOrEmpty(argv[0]))
        {
            throw Invalid(
                "argv",
                "must name a command: an array whose first element is the program, such as [\"sh\", \"-c\", \"echo hello\"]"
            );
        }

        if (argv.Count > JobLimits.ArgumentsMax)
        {
            throw Invalid("argv", $"has {argv.Count} elements; at most {JobLimits.ArgumentsMax} are allowed. Put long lists into a file");
        }

        foreach (string argument in argv)
        {
            ThrowIfNul("argv", argument);
        }

        foreach ((string name, string value) in request.Env ?? Empty)
        {
            ThrowIfNul("env", value);
            if (name.Length == 0 || name.AsSpan().ContainsAny('=', '\0'))
            {
                throw Invalid("env", $"has the name '{name}', which is empty or has '=' or a NUL in it");
            }
        }

        if (request.Name is { Length: > JobLimits.NameLengthMax })
        {
            throw Invalid("name", $"is longer than {JobLimits.NameLengthMax} characters");
        }

        if (request.Stdin is { Length: > JobLimits.StdinCharactersMax })
        {
            throw Invalid(
                "stdin",
                $"is longer than {JobLimits.StdinCharactersMax} characters. Send the rest to POST .../stdin with openStdin, or read a file"
            );
        }

        if (request.TimeoutSeconds is { } timeout && !(timeout > 0 && timeout <= JobLimits.TimeoutSecondsMax))
        {
            throw Invalid(
                "timeoutSeconds",
                $"is {timeout}; it must be above 0 and at most {JobLimits.TimeoutSecondsMax}. Leave it out for no timeout"
            );
        }

        CheckTerminal(request);
        CheckLabels(request);
        if (idempotencyKey is { Length: 0 or > JobLimits.IdempotencyKeyLengthMax })
        {
            throw Invalid("Idempotency-Key", $"must be 1 to {JobLimits.IdempotencyKeyLengthMax} characters");
        }

        if (request.Cwd is { } cwd)
        {
            CheckDirectory(cwd);
        }
    }

    private static void CheckDirectory(string cwd)
    {
        ThrowIfNul("cwd", cwd);
        if (!Path.IsPathRooted(cwd))
        {
            throw Invalid("cwd", $"is '{cwd}', which is not absolute");
        }

        if (!Directory.Exists(cwd))
        {
            throw new RefusedException(
                ErrorCodes.WorkingDirectoryNotFound,
                $"The working directory '{cwd}' does not exist on the server's machine. Create it, or give another cwd."
            );
        }
    }

    private static void CheckTerminal(JobRequest request)
    {
        foreach ((string field, int? size) in (ReadOnlySpan<(string, int?)>)[("rows", request.Rows), ("columns", request.Columns)])
        {
            if (size is { } given && request.Pty is not true)
            {
                throw Invalid(field, $"is {given}, but the job has no terminal. Give pty, too, or leave it out");
            }

            if (size is < 1 or > JobLimits.TerminalSizeMax)
            {
                throw Invalid(field, $"is {size}; it must be from 1 to {JobLimits.TerminalSizeMax}");
            }
        }
    }

    private static void CheckLabels(JobRequest request)
    {
        if (request.Labels is not { } labels)
        {
            return;
        }

        if (labels.Count > JobLimits.LabelsMax)
        {
            throw Invalid("labels", $"has {labels.Count} entries; at most {JobLimits.LabelsMax} are allowed");
        }

        foreach ((string name, string value) in labels)
        {
            if (
                name.Length is 0 or > JobLimits.LabelLengthMax
                || value is null or { Length: > JobLimits.LabelLengthMax }
                || name.Contains('=')
            )
            {
                throw Invalid(
                    "labels",
                    $"has '{name}': names are 1 to {JobLimits.LabelLengthMax} characters without '=', values are texts at most as long"
                );
            }
        }
    }

    /// <summary>A null is no text either, though the JSON reader lets it stand where the type says that none can be.</summary>
    private static void ThrowIfNul(string field, string? value)
    {
        if (value is null)
        {
            throw Invalid(field, "has a null, where there must be a text");
        }

        if (value.Contains('\0'))
        {
            throw Invalid(field, "has a NUL character, which no process can be given");
        }
    }

    private static RefusedException Invalid(string field, string what) => new(ErrorCodes.InvalidRequest, $"{field} {what}.");

    private static readonly Dictionary<string, string> Empty = [];
}
