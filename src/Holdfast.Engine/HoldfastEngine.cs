// One indivisible thing: the wiring. It is long because the engine has many operations, and read from top to bottom.

using Holdfast.Engine.Access;
using Holdfast.Engine.Assets;
using Holdfast.Engine.Callbacks;
using Holdfast.Engine.Contents;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Jobs;
using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Engine.Kernels.Life;
using Holdfast.Engine.Locks;
using Holdfast.Engine.Metrics;
using Holdfast.Engine.Notebooks;
using Holdfast.Engine.Notebooks.Conversion;
using Holdfast.Engine.Preferences;
using Holdfast.Engine.Reactive;
using Holdfast.Engine.Reactive.Cascades;
using Holdfast.Engine.Reactive.Conversion;
using Holdfast.Engine.Reactive.Registration;
using Holdfast.Engine.Recovery;
using Holdfast.Engine.Recovery.Orphans;
using Holdfast.Engine.Retention;
using Holdfast.Engine.Sessions;
using Holdfast.Engine.Stopping;
using Holdfast.Engine.Store;
using Holdfast.Engine.Supervision;
using Holdfast.Engine.Terminals;
using Holdfast.Engine.Tracing;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine;

/// <summary>What an engine is made with.</summary>
public sealed record EngineOptions
{
    /// <summary>The folder notebooks are found in when their path is not absolute.</summary>
    public required string Root { get; init; }

    public required string SupervisorPath { get; init; }
    public JobOptions Jobs { get; init; } = new();
    public KernelOptions Kernels { get; init; } = new();
    public OrphanOptions Orphans { get; init; } = new();
    public RetentionOptions Retention { get; init; } = new();
    public ContentsOptions Contents { get; init; } = new();
    public CallbackOptions Callbacks { get; init; } = new();
    public AssetOptions Assets { get; init; } = new();
}

/// <summary>
/// The engine put together, by hand and in one place: its operations are its properties, which the doors call. It decides nothing itself.
/// </summary>
public sealed class HoldfastEngine : IAsyncDisposable
{
    private readonly StateStore _store;
    private readonly SupervisorReaper _reaper = new();
    private readonly JobDispatcher _dispatcher;
    private readonly LiveKernels _kernels;
    private readonly ActiveRuns _runs;
    private readonly EndWaiters _waiters;
    private readonly Recover _recover;
    private readonly OrphanSweeper _sweeper;
    private readonly RetentionKeeper _retention;
    private readonly JournalCompressor _compressor;
    private readonly AssetFolder _assetFolder;
    private readonly AssetKeeper _assetKeeper;
    private readonly OwedOutputsKeeper _owed;
    private readonly SupervisorCheck _check;
    private readonly ExecutionSpans _spans;
    private readonly KernelRevivals _revivals;
    private readonly SessionLedger _sessions;
    private readonly LeftKernels _leftKernels;
    private readonly KernelCulling _culling;
    private readonly WarmKernels _warm;
    private readonly CellAnalysers _analysers;
    private readonly EditFollowUp _edits;
    private readonly WebhookSender _webhooks;
    private readonly CallbackCourier _courier;

    public HoldfastEngine(DataDirectory directory, EngineOptions options, TimeProvider time, ILoggerFactory loggers)
    {
        string host = Environment.MachineName;
        Root = options.Root;
        string root = Path.TrimEndingDirectorySeparator(options.Root);
        _store = StateStore.Open(
            new StoreOptions { Directory = directory.Paths.Root, Migrations = Migration.Embedded },
            time,
            loggers.CreateLogger<StateStore>()
        );
        Feed = new FeedLog(_store, time);
        Live = new LiveAttempts();
        Folders = new AttemptFolders(directory.Paths.Attempts, directory.Sockets);
        var spawner = new SupervisorSpawner(options.SupervisorPath, _reaper);
        var rescuer = new AttemptRescuer(time, loggers.CreateLogger<AttemptRescuer>());
        var executions = new ExecutionLedger(Feed, Meters, host, time);
        var kernels = new KernelLedger(executions, Feed, options.Kernels.Restarts, host, time);
        _waiters = new EndWaiters(Feed);
        _dispatcher = new JobDispatcher(
            _store,
            executions,
            Feed,
            Live,
            Folders,
            options.Jobs,
            spawner,
            rescuer,
            Meters,
            time,
            loggers.CreateLogger<JobDispatcher>()
        );
        _kernels = new LiveKernels(
            _store,
            executions,
            kernels,
            Live,
            Folders,
            options.Kernels,
            spawner,
            rescuer,
            Meters,
            time,
            loggers.CreateLogger<LiveKernels>()
        );
        var jobs = new JobRunner(Live, _dispatcher, time);
        var runners = new ExecutionRunners(jobs, new CellRunner(_kernels));

        var guard = new AddressGuard(options.Callbacks.Allow);
        var callbackCheck = new CallbackCheck(guard);
        var callbacks = new CallbackLedger(Feed, host, time);
        _webhooks = new WebhookSender(new GuardedConnection(guard), time);
        _courier = new CallbackCourier(
            _store,
            callbacks,
            Feed,
            _webhooks,
            new CommandSender(_reaper, time),
            Meters,
            time,
            loggers.CreateLogger<CallbackCourier>()
        );

        var space = new SpaceGuard(directory.Paths.Root, _store, Feed, time, loggers.CreateLogger<SpaceGuard>());
        var trash = new TrashFolder(directory.Paths.Trash, options.Orphans.Grace, time);
        _assetFolder = new AssetFolder(directory.Paths, trash, time);
        var quota = new AssetQuota(_store, options.Assets);
        StoreAsset = new StoreAsset(_store, Feed, _assetFolder, quota, options.Assets, host, time) { Space = space };
        GetAsset = new GetAsset(_store);
        ListAssets = new ListAssets(_store);
        ReadAsset = new ReadAsset(_store, _assetFolder, options.Assets, time);
        RenewLease = new RenewLease(_store, options.Assets, time);
        PinAsset = new PinAsset(_store, time);
        UnpinAsset = new UnpinAsset(_store);
        var notebookAssets = new NotebookAssets(_store, options.Assets, time);
        var collect = new CollectAssets(
            _store,
            Feed,
            _assetFolder,
            notebookAssets,
            options.Assets,
            time,
            loggers.CreateLogger<CollectAssets>()
        );
        PruneAssets = new PruneAssets(_store, collect, notebookAssets, time);
        _assetKeeper = new AssetKeeper(collect, options.Assets, time, loggers.CreateLogger<AssetKeeper>());
        var outputAssets = new OutputAssets(
            StoreAsset,
            _store,
            directory.Paths.Assets,
            options.Assets,
            time,
            loggers.CreateLogger<OutputAssets>()
        );
        var assetOrphans = new AssetOrphans(_store, _assetFolder);
        SubmitJob = new SubmitJob(_store, executions, callbackCheck, Meters, time) { Space = space };
        GetExecution = new GetExecution(_store, Live);
        WaitForExecution = new WaitForExecution(_store, _waiters, time);
        CancelExecution = new CancelExecution(_store, executions, runners);
        PauseExecution = new PauseExecution(_store, executions, runners);
        ResumeExecution = new ResumeExecution(_store, executions, runners);
        RetryExecution = new RetryExecution(_store, executions) { Space = space };
        WriteStandardInput = new WriteStandardInput(_store, runners);
        ReadOutput = new ReadOutput(_store, Live, Folders);
        ListLocks = new ListLocks(_store);
        ReleaseLock = new ReleaseLock(_store, executions, time);
        StartTerminal = new StartTerminal(_store, executions, _dispatcher, options.Root, time);
        GetTerminal = new GetTerminal(_store, Folders);
        StopTerminal = new StopTerminal(GetTerminal, CancelExecution, WaitForExecution);
        ResizeTerminal = new ResizeTerminal(_store, jobs);
        ReadTerminal = new ReadTerminal(ReadOutput);
        ListCallbacks = new ListCallbacks(_store);
        RedriveCallback = new RedriveCallback(_store, callbacks, time);
        RedriveCallbacks = new RedriveCallbacks(_store, callbacks, time);
        GetKernel = new GetKernel(_store, _kernels, time);
        ReadKernelUsage = new ReadKernelUsage(_kernels, time);
        StopKernel = new StopKernel(_store, kernels, _kernels, options.Kernels);
        _warm = new WarmKernels(_store, kernels, _kernels, StopKernel, options.Kernels, root, time, loggers.CreateLogger<WarmKernels>());
        StartKernel = new StartKernel(_store, kernels, _kernels, _warm, options.Kernels, root) { Space = space };
        _revivals = new KernelRevivals(_store, kernels, _kernels, time, loggers.CreateLogger<KernelRevivals>());
        _culling = new KernelCulling(
            _store,
            Feed,
            kernels,
            _kernels,
            StopKernel,
            options.Kernels.Culling,
            time,
            loggers.CreateLogger<KernelCulling>()
        );
        RestartKernel = new RestartKernel(_store, kernels, _kernels, StopKernel);
        InterruptKernel = new InterruptKernel(_kernels);
        AnswerInput = new AnswerInput(_kernels, time);
        ListComms = new ListComms(_store, _kernels, Folders);
        _sessions = new SessionLedger(Feed, root, host, time);
        _leftKernels = new LeftKernels(_store, StopKernel, loggers.CreateLogger<LeftKernels>());
        GetSession = new GetSession(_store, GetKernel);
        StartSession = new StartSession(_store, _sessions, StartKernel, RestartKernel, root, time)
        {
            KernelOfDocument = static (reader, path) => ReactiveKernelsTable.Of(reader, NotebookStorage.RealPathOf(path)),
        };
        ChangeSession = new ChangeSession(_store, _sessions, StartKernel, _leftKernels, root);
        StopSession = new StopSession(_store, _sessions, StopKernel);
        Config = new ConfigSections(new PreferenceFolder(directory.Paths.Preference("config")));
        LabSettings = new LabSettings(new PreferenceFolder(directory.Paths.Preference("settings")));
        LabFolders = new LabFolders(Environment.GetEnvironmentVariable);
        LabSchemas = new LabSchemas(LabFolders);
        LabWorkspaces = new LabWorkspaces(new PreferenceFolder(directory.Paths.Preference("workspaces")));
        ConvertNotebook = new ConvertNotebook(directory.Paths.Conversions, _reaper, time);
        Tokens = new TokenRing(_store, time);
        CreateToken = new CreateToken(_store, Tokens, time);
        ListTokens = new ListTokens(_store);
        RevokeToken = new RevokeToken(_store, Tokens, time);
        ReadAudit = new ReadAudit(_store);
        RecordDeed = new RecordDeed(_store, time);
        Clients = new KernelClients(_kernels, Live, Folders, _store, directory.Paths.Clients, time);
        SendToKernel = new SendToKernel(_kernels, _store);
        _runs = new ActiveRuns(_store, Feed, _kernels, StopKernel, callbacks, time, loggers.CreateLogger<ActiveRuns>(), outputAssets);
        RunNotebook = new RunNotebook(
            _store,
            executions,
            kernels,
            Feed,
            _kernels,
            _runs,
            options.Kernels,
            callbackCheck,
            callbacks,
            Meters,
            host,
            options.Root,
            time
        )
        {
            Space = space,
            Quota = quota,
        };
        GetRun = new GetRun(_store, _waiters, time);
        Contents = new ContentsOperations(
            options.Root,
            directory.Paths.Root,
            options.Contents,
            new UnsavedResults(_store, Folders, outputAssets),
            time,
            notebookAssets,
            outputAssets
        );
        _owed = new OwedOutputsKeeper(
            _store,
            Contents.Recover,
            path => _runs.IsActive(path, out Run? _),
            time,
            loggers.CreateLogger<OwedOutputsKeeper>()
        );
        ListSupervisors = new ListSupervisors(Live, time);
        _analysers = new CellAnalysers(_reaper.ChildSpawned, time);
        var moved = new MovedNotebooks(_store, _runs.Move);
        ReactiveNotebooks = new ReactiveNotebooks(_store, Feed, _analysers, moved, time);
        var subjects = new CascadeSubjects(ReactiveNotebooks);
        var cascades = new CascadeLedger(Feed);
        executions.CellChanged = cascades.Take;
        kernels.IncarnationEnded = cascades.TakeEnd;
        RunCascade = new RunCascade(_store, executions, kernels, Feed, _kernels, _runs, subjects, options.Kernels, host, options.Root, time)
        {
            Space = space,
            Quota = quota,
        };
        SettleEdits = new SettleEdits(
            _store,
            executions,
            _runs,
            subjects,
            new GhostRemoval(_store, _kernels, time),
            RunCascade,
            Feed,
            options.Root
        );
        _edits = new EditFollowUp(
            ReactiveNotebooks,
            Feed,
            path => _store.Read(reader => ReactiveKernelsTable.Of(reader, path)) is not null,
            path => SettleEdits.RunAsync(path, CancellationToken.None),
            time,
            loggers.CreateLogger<EditFollowUp>()
        );
        cascades.RunPastCascades += _edits.Note;
        var news = new FileNews(_store, Feed, ReactiveNotebooks, moved, _edits, root, loggers.CreateLogger<FileNews>());
        (Contents.Moved, Contents.Deleted, Contents.ReactiveSaved, _sessions.NotebookOpened) = (
            news.Moved,
            news.Deleted,
            news.Saved,
            news.Opened
        );
        RegisterCell = new RegisterCell(ReactiveNotebooks, options.Root);
        DisableCell = new DisableCell(ReactiveNotebooks, options.Root);
        DeleteCell = new DeleteCell(ReactiveNotebooks, options.Root);
        GetGraph = new GetGraph(ReactiveNotebooks, options.Root);
        SetNotebookMode = new SetNotebookMode(ReactiveNotebooks, options.Root);
        ConvertLinearNotebook = new ConvertLinearNotebook(ReactiveNotebooks, _analysers, _runs, options.Root) { Assets = notebookAssets };
        CancelCascade = new CancelCascade(_store, executions, runners, _runs, GetRun);
        _check = new SupervisorCheck(Live, time, loggers.CreateLogger<SupervisorCheck>());
        var attempts = new AttemptRecovery(
            _store,
            _dispatcher,
            _kernels,
            _runs,
            new KernelRenewal(_store, kernels, time),
            Folders,
            time,
            loggers.CreateLogger<AttemptRecovery>()
        );
        SweepOrphans = new SweepOrphans(
            _store,
            Feed,
            new OrphanSearch(_store, directory, Folders, Live, attempts, options.Orphans, time, assetOrphans),
            trash,
            attempts,
            options.Orphans,
            time,
            loggers.CreateLogger<SweepOrphans>()
        )
        {
            Assets = assetOrphans,
        };
        _sweeper = new OrphanSweeper(SweepOrphans, options.Orphans, time, loggers.CreateLogger<OrphanSweeper>());
        ApplyRetention = new ApplyRetention(_store, Folders, trash, options.Retention, time, loggers.CreateLogger<ApplyRetention>());
        _retention = new RetentionKeeper(ApplyRetention, space, options.Retention, time, loggers.CreateLogger<RetentionKeeper>());
        _compressor = new JournalCompressor(
            new CompressJournals(_store, Live, Folders, options.Retention, Meters, time, loggers.CreateLogger<CompressJournals>()),
            options.Retention,
            time,
            loggers.CreateLogger<JournalCompressor>()
        );
        GetStatistics = new GetStatistics(_store);
        EndWork = new EndWork(_store, _dispatcher, Live, _kernels, CancelExecution, StopKernel, time);
        _recover = new Recover(
            _store,
            Feed,
            executions,
            _dispatcher,
            attempts,
            new ExecutionCheck(_store, executions, Folders, time),
            directory.Paths.Root,
            new Dictionary<string, Func<CancellationToken, Task<PhaseResult>>>
            {
                [RecoveryPhases.Revivals] = _ => Task.FromResult(new PhaseResult(_revivals.Start())),
                [RecoveryPhases.Edits] = new RecoverEdits(_store, _edits).RunAsync,
                [RecoveryPhases.Assets] = _ => new RecoverAssets(_assetFolder, _store, StartKeepers).RunAsync(),
                [RecoveryPhases.Callbacks] = new RecoverCallbacks(_store, callbacks, _courier).RunAsync,
                [RecoveryPhases.Orphans] = _ =>
                {
                    _sweeper.Start();
                    return Task.FromResult(new PhaseResult(trash.Due().Count));
                },
            },
            time,
            loggers.CreateLogger<Recover>()
        );
        RetryRecovery = new RetryRecovery(_store, Feed, _recover, attempts);
        MarkLost = new MarkLost(_store, Feed, attempts, Folders);
        QuarantineItem = new QuarantineItem(_store, Feed, attempts, time);
        _spans = new ExecutionSpans(_store, Feed);
        _ = new EngineGauges(Meters, _store, Live, _kernels, directory.Paths, () => Recovery, time);
    }

    /// <summary>What is counted as it happens.</summary>
    public EngineMeters Meters { get; } = new();
    internal ReactiveNotebooks ReactiveNotebooks { get; }

    /// <summary>The folder that notebooks and files are served from.</summary>
    public string Root { get; }

    public FeedLog Feed { get; }
    public LiveAttempts Live { get; }
    public AttemptFolders Folders { get; }
    public KernelClients Clients { get; }

    public SubmitJob SubmitJob { get; }
    public GetExecution GetExecution { get; }
    public WaitForExecution WaitForExecution { get; }
    public CancelExecution CancelExecution { get; }
    public PauseExecution PauseExecution { get; }
    public ResumeExecution ResumeExecution { get; }
    public RetryExecution RetryExecution { get; }
    public WriteStandardInput WriteStandardInput { get; }
    public ReadOutput ReadOutput { get; }
    public ListLocks ListLocks { get; }
    public ReleaseLock ReleaseLock { get; }
    public StartTerminal StartTerminal { get; }
    public GetTerminal GetTerminal { get; }
    public StopTerminal StopTerminal { get; }
    public ResizeTerminal ResizeTerminal { get; }
    public ReadTerminal ReadTerminal { get; }
    public StoreAsset StoreAsset { get; }
    public GetAsset GetAsset { get; }
    public ListAssets ListAssets { get; }
    public ReadAsset ReadAsset { get; }
    public RenewLease RenewLease { get; }
    public PinAsset PinAsset { get; }
    public UnpinAsset UnpinAsset { get; }
    public PruneAssets PruneAssets { get; }
    public ListCallbacks ListCallbacks { get; }
    public RedriveCallback RedriveCallback { get; }
    public RedriveCallbacks RedriveCallbacks { get; }
    public GetKernel GetKernel { get; }
    public ReadKernelUsage ReadKernelUsage { get; }
    public StartKernel StartKernel { get; }
    public StopKernel StopKernel { get; }
    public RestartKernel RestartKernel { get; }
    public InterruptKernel InterruptKernel { get; }
    public AnswerInput AnswerInput { get; }
    public ListComms ListComms { get; }
    public GetSession GetSession { get; }
    public StartSession StartSession { get; }
    public ChangeSession ChangeSession { get; }
    public StopSession StopSession { get; }
    public TokenRing Tokens { get; }
    public CreateToken CreateToken { get; }
    public ListTokens ListTokens { get; }
    public RevokeToken RevokeToken { get; }
    public ReadAudit ReadAudit { get; }
    public RecordDeed RecordDeed { get; }
    public ConfigSections Config { get; }
    public LabSettings LabSettings { get; }
    public LabFolders LabFolders { get; }
    public LabSchemas LabSchemas { get; }
    public LabWorkspaces LabWorkspaces { get; }
    public ConvertNotebook ConvertNotebook { get; }
    public SendToKernel SendToKernel { get; }
    public RunNotebook RunNotebook { get; }
    public RegisterCell RegisterCell { get; }
    public DisableCell DisableCell { get; }

    public DeleteCell DeleteCell { get; }
    public GetGraph GetGraph { get; }
    public SetNotebookMode SetNotebookMode { get; }
    public ConvertLinearNotebook ConvertLinearNotebook { get; }
    public GetRun GetRun { get; }
    public ListSupervisors ListSupervisors { get; }
    public ContentsOperations Contents { get; }
    public EndWork EndWork { get; }
    public ApplyRetention ApplyRetention { get; }
    public GetStatistics GetStatistics { get; }
    public SweepOrphans SweepOrphans { get; }
    public RetryRecovery RetryRecovery { get; }
    public MarkLost MarkLost { get; }
    public QuarantineItem QuarantineItem { get; }
    public RunCascade RunCascade { get; }
    public CancelCascade CancelCascade { get; }
    public SettleEdits SettleEdits { get; }

    /// <summary>What this start-up found, also while it is still finding it.</summary>
    public RecoveryReport Recovery => _recover.Report;

    /// <summary>The start-ups before this one, latest first, as far as they are kept.</summary>
    public IReadOnlyList<RecoveryReport> RecoveryHistory => _recover.History;

    public IReadOnlyList<string> CheckIntegrity() => _store.CheckIntegrity();

    /// <summary>Recovers, then dispatches. Nothing may be asked of the engine that could be answered wrongly before this is done.</summary>
    public async Task RecoverAsync(CancellationToken cancellationToken)
    {
        await _recover.RunAsync(cancellationToken);
        _leftKernels.Start();
        _culling.Start();
        _warm.Start();
        _retention.Start();
        _compressor.Start();
    }

    /// <summary>Lets go of everything; kernels and jobs live on under their supervisors.</summary>
    private void StartKeepers()
    {
        _assetKeeper.Start();
        _owed.Start();
    }

    public async ValueTask DisposeAsync()
    {
        await _compressor.DisposeAsync();
        await _retention.DisposeAsync();
        await _assetKeeper.DisposeAsync();
        await _owed.DisposeAsync();
        await _sweeper.DisposeAsync();
        await _check.DisposeAsync();
        _edits.Dispose();
        _analysers.Dispose();
        _culling.Dispose();
        _warm.Dispose();
        _revivals.Dispose();
        _sessions.Dispose();
        RunNotebook.Dispose();
        ConvertNotebook.Dispose();
        Tokens.Dispose();
        _runs.Dispose();
        _kernels.Dispose();
        await _dispatcher.DisposeAsync();
        _spans.Dispose();
        await _courier.DisposeAsync();
        _webhooks.Dispose();
        _waiters.Dispose();
        await _store.DisposeAsync();
        _assetFolder.Dispose();
        _reaper.Dispose();
        Meters.Dispose();
    }
}
