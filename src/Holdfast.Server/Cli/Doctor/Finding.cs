namespace Holdfast.Server.Cli.Doctor;

/// <summary>How much a finding matters: a warning may become a problem, a problem keeps something from working now.</summary>
internal enum Severity
{
    Ok,
    Warning,
    Problem,
}

/// <summary>One thing that <c>holdfast doctor</c> looked at; what is not well says what to do.</summary>
internal sealed record Finding(Severity Severity, string Subject, string Text, string? Remedy = null)
{
    public static Finding Ok(string subject, string text) => new(Severity.Ok, subject, text);

    public static Finding Warning(string subject, string text, string remedy) => new(Severity.Warning, subject, text, remedy);

    public static Finding Problem(string subject, string text, string remedy) => new(Severity.Problem, subject, text, remedy);
}
