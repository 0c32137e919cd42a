using Holdfast.Engine.Store;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Keeps by and by, as assets, what could not be kept when its run ended, on a disk that was full at that moment, say: it is folded from
/// the journal again, and the notebook then says where it is. What is owed is in the store, so that a start goes on with it.
/// </summary>
internal sealed partial class OwedOutputsKeeper : IAsyncDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly StateStore _store;
    private readonly RecoverNotebook _recover;
    private readonly Func<string, bool> _isRunning;
    private readonly ILogger _logger;
    private readonly Recurring _looks;

    public OwedOutputsKeeper(StateStore store, RecoverNotebook recover, Func<string, bool> isRunning, TimeProvider time, ILogger logger)
    {
        (_store, _recover, _isRunning, _logger) = (store, recover, isRunning, logger);
        _looks = new Recurring(Interval, LookAsync, e => Log.StillOwed(logger, "notebooks", e), time);
    }

    public void Start() => _looks.Start();

    public ValueTask DisposeAsync() => _looks.DisposeAsync();

    internal async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (string path in _store.Read(OwedOutputsTable.Paths))
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (_isRunning(path))
            {
                continue; // Its own saves come first.
            }

            try
            {
                await _recover.RunAsync(path, isDryRun: false);
            }
            catch (RefusedException e) when (e.Code == ErrorCodes.NotebookNotFound)
            {
                await _recover.ForgetAsync(path);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                Log.StillOwed(_logger, path, e); // The others are not to wait for it.
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.OutputsStillOwed,
            LogLevel.Warning,
            "What was said in {Path} and is too large for it could not be kept as an asset yet; it is tried again every minute."
        )]
        public static partial void StillOwed(ILogger logger, string path, Exception exception);
    }
}
