using System.Diagnostics;

namespace Holdfast.Server.Telemetry;

/// <summary>
/// Traces and logs on their way to a collector, when the environment names one. Listens to the requests that the web server answers and to
/// the engine's executions, and is a logger beside the console's. A request that is part of a trace which its caller does not record is not
/// recorded here either.
/// </summary>
internal sealed class OtlpExport : IAsyncDisposable, ILoggerProvider
{
    private const string Requests = "Microsoft.AspNetCore";
    private const string Executions = "Holdfast";
    private static readonly string[] Unremarkable = ["/healthz", "/readyz", "/metrics"];

    private readonly OtlpSender<Activity>? _traces;
    private readonly OtlpSender<LogEntry>? _logs;
    private readonly ActivityListener? _listener;
    private readonly TimeProvider _time;

    public OtlpExport(OtlpOptions options, TimeProvider time)
    {
        _time = time;
        _logs = options.Logs is { } logs
            ? new OtlpSender<LogEntry>(logs, options, entries => OtlpJson.Logs(entries, options.Resource), time)
            : null;
        if (options.Traces is { } traces)
        {
            _traces = new OtlpSender<Activity>(traces, options, activities => OtlpJson.Traces(activities, options.Resource), time);
            _listener = new ActivityListener
            {
                ShouldListenTo = static source => source.Name is Requests or Executions,
                Sample = static (ref ActivityCreationOptions<ActivityContext> creation) =>
                    creation.Parent.TraceId == default || creation.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
                        ? ActivitySamplingResult.AllDataAndRecorded
                        : ActivitySamplingResult.PropagationData,
                ActivityStopped = Take,
            };
            ActivitySource.AddActivityListener(_listener);
        }
    }

    /// <summary>Null when the environment names no collector.</summary>
    public static OtlpExport? FromEnvironment(Func<string, string?> environment, TimeProvider time) =>
        OtlpOptions.Read(environment) is { } options ? new OtlpExport(options, time) : null;

    public ILogger CreateLogger(string categoryName) => new OtlpLogger(categoryName, _logs, _time);

    /// <summary>As a logger's provider it is disposed with the web server, and as what it is by its owner, later.</summary>
    public void Dispose() { }

    public async ValueTask DisposeAsync()
    {
        _listener?.Dispose();
        if (_traces is not null)
        {
            await _traces.DisposeAsync();
        }

        if (_logs is not null)
        {
            await _logs.DisposeAsync();
        }
    }

    private void Take(Activity activity)
    {
        if (
            activity.Recorded
            && !(activity.Source.Name == Requests && activity.GetTagItem("url.path") is string path && Unremarkable.Contains(path))
        )
        {
            _traces!.Post(activity);
        }
    }

    private sealed class OtlpLogger(string category, OtlpSender<LogEntry>? sender, TimeProvider time) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => sender is not null && logLevel != LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            if (IsEnabled(logLevel))
            {
                IReadOnlyList<KeyValuePair<string, object?>> fields = state is IReadOnlyList<KeyValuePair<string, object?>> pairs
                    ? [.. pairs.Where(static p => p.Key != "{OriginalFormat}")]
                    : [];
                sender!.Post(
                    new LogEntry(
                        category,
                        logLevel,
                        eventId,
                        formatter(state, exception),
                        fields,
                        exception,
                        time.GetUtcNow(),
                        Activity.Current?.Context ?? default
                    )
                );
            }
        }
    }
}
