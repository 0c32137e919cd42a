namespace Holdfast.Engine;

/// <summary>Every log event's id: a range of a hundred per folder, never reused.</summary>
public static class EventIds
{
    // Store: 1000.
    public const int StoreEffectFailed = 1001;

    // Jobs: 1100.
    public const int JobLaunchFailed = 1100;
    public const int JobWarmRefused = 1101;
    public const int JobOutcomesNotStored = 1102;
    public const int JobChangeNotStored = 1103;
    public const int JobRoundFailed = 1104;
    public const int JobOutcomeGivenUp = 1105;
    public const int JobNotRescued = 1106;

    // Supervision: 1200.
    public const int SupervisorReattachFailed = 1200;
    public const int SupervisorStale = 1201;

    // Kernels: 1300.
    public const int KernelNewsFailed = 1300;
    public const int KernelDied = 1301;
    public const int KernelStarted = 1302;
    public const int KernelLaunchFailed = 1303;
    public const int KernelJournalNotSynced = 1304;
    public const int KernelRevived = 1310;
    public const int KernelNotRevived = 1311;
    public const int KernelCulled = 1312;
    public const int KernelNotCulled = 1313;
    public const int KernelNotWarmed = 1314;

    // Notebooks: 1400.
    public const int NotebookNotSaved = 1400;
    public const int RunFinished = 1401;
    public const int RunStepFailed = 1402;
    public const int RunKernelNotStopped = 1403;

    // Sessions: 1600.
    public const int LeftKernelNotStopped = 1600;

    // Reactive: 1450.
    public const int EditsNotFollowed = 1450;
    public const int FileNotFollowed = 1451;

    // Recovery: 1500.
    public const int Recovered = 1500;
    public const int PhaseFailed = 1501;
    public const int AttemptQuarantined = 1502;
    public const int RecoveryNotTold = 1503;
    public const int OrphanNotTreated = 1504;
    public const int OrphansSwept = 1505;
    public const int OrphanSweepFailed = 1506;
    public const int RetentionApplied = 1507;
    public const int RetentionFolderNotRemoved = 1508;
    public const int RetentionFailed = 1509;
    public const int JournalsCompressed = 1510;
    public const int JournalNotCompressed = 1511;
    public const int JournalCompressionFailed = 1512;
    public const int RetentionWaits = 1513;
    public const int SpaceLow = 1514;
    public const int SpaceLast = 1515;
    public const int SpaceEnough = 1516;

    // Assets: 1700.
    public const int AssetsCollected = 1700;
    public const int AssetNotRemoved = 1701;
    public const int AssetCollectionFailed = 1702;
    public const int OutputNotStored = 1703;
    public const int OutputsStillOwed = 1704;

    // Callbacks: 1900.
    public const int CallbackParked = 1900;
    public const int CallbackNotStored = 1901;
    public const int CallbackRoundFailed = 1902;
}
