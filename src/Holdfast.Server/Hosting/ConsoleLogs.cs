using Microsoft.Extensions.Logging.Console;

namespace Holdfast.Server.Hosting;

/// <summary>
/// The log on standard error: lines for people; a JSON object a line for collectors; or lines with the priority that journald reads.
/// </summary>
internal static class ConsoleLogs
{
    public const string Text = "text";
    public const string Json = "json";
    public const string Journald = "journald";

    public static void Add(ILoggingBuilder logging, string format)
    {
        _ = format switch
        {
            Json => logging.AddJsonConsole(static console =>
            {
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.ffffffZ";
                console.UseUtcTimestamp = true;
                console.IncludeScopes = true;
            }),
            Journald => logging.AddSystemdConsole(), // Journald has the time.
            _ => logging.AddSimpleConsole(static console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
                console.UseUtcTimestamp = true;
            }),
        };
        logging.Services.Configure<ConsoleLoggerOptions>(static console => console.LogToStandardErrorThreshold = LogLevel.Trace);
    }
}
