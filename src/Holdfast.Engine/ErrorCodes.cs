namespace Holdfast.Engine;

/// <summary>
/// Every code a caller may be refused with: stable, never renamed, one page each in docs/errors. The status is what the REST door answers; every door gives the same code.
/// </summary>
public static class ErrorCodes
{
    public const string InternalError = "internal-error";
    public const string InvalidRequest = "invalid-request";
    public const string InvalidJson = "invalid-json";
    public const string BodyTooLarge = "body-too-large";
    public const string Unauthorized = "unauthorized";
    public const string HostNotAllowed = "host-not-allowed";
    public const string OriginNotAllowed = "origin-not-allowed";
    public const string PrefixNotAllowed = "prefix-not-allowed";
    public const string XsrfCheckFailed = "xsrf-check-failed";
    public const string RouteNotFound = "route-not-found";
    public const string LockNotHeld = "lock-not-held";
    public const string MethodNotAllowed = "method-not-allowed";
    public const string Recovering = "recovering";
    public const string RecoveryFailed = "recovery-failed";
    public const string RecoveryItemNotFound = "recovery-item-not-found";
    public const string RecoveryItemAlive = "recovery-item-alive";
    public const string ExecutionNotFound = "execution-not-found";
    public const string RunNotFound = "run-not-found";
    public const string TerminalNotFound = "terminal-not-found";
    public const string KernelNotFound = "kernel-not-found";
    public const string SessionNotFound = "session-not-found";
    public const string SessionKernelGone = "session-kernel-gone";
    public const string KernelSpecNotFound = "kernelspec-not-found";
    public const string KernelDied = "kernel-died";
    public const string KernelNotRunning = "kernel-not-running";
    public const string IllegalTransition = "illegal-transition";
    public const string IdempotencyConflict = "idempotency-conflict";
    public const string DiskFull = "disk-full";
    public const string StoreFailed = "store-failed";
    public const string StoreConstraint = "store-constraint";
    public const string StoreCorrupt = "store-corrupt";
    public const string StoreClosed = "store-closed";
    public const string SqliteMissing = "sqlite-missing";
    public const string SqliteTooOld = "sqlite-too-old";
    public const string SchemaTooNew = "schema-too-new";
    public const string DataDirectoryInUse = "data-directory-in-use";
    public const string DataDirectoryNotWritable = "data-directory-not-writable";
    public const string WorkingDirectoryNotFound = "working-directory-not-found";
    public const string StandardInputClosed = "stdin-closed";
    public const string StandardInputFull = "stdin-full";
    public const string InputNotRequested = "input-not-requested";
    public const string SupervisorUnreachable = "supervisor-unreachable";
    public const string NotebookNotFound = "notebook-not-found";
    public const string NotebookUnreadable = "notebook-unreadable";
    public const string NotebookNotWritable = "notebook-not-writable";
    public const string NotebookInvalidJson = "notebook-invalid-json";
    public const string NotebookInvalid = "notebook-invalid";
    public const string NotebookUnsupportedFormat = "notebook-unsupported-format";
    public const string NotebookBusy = "notebook-busy";
    public const string CellNotFound = "cell-not-found";
    public const string NothingToResume = "nothing-to-resume";
    public const string ParametersUnsupported = "parameters-unsupported";
    public const string ParametersInvalid = "parameters-invalid";
    public const string OutputOffsetInvalid = "output-offset-invalid";
    public const string PortInUse = "port-in-use";
    public const string ServerUnreachable = "server-unreachable";
    public const string NotSupported = "not-supported";
    public const string ServerStopping = "server-stopping";
    public const string ContentsNotFound = "contents-not-found";
    public const string ContentsExists = "contents-exists";
    public const string ContentsNotReadable = "contents-not-readable";
    public const string ContentsNotWritable = "contents-not-writable";
    public const string ContentsTooLarge = "contents-too-large";
    public const string FolderNotEmpty = "folder-not-empty";
    public const string CheckpointNotFound = "checkpoint-not-found";
    public const string UploadOutOfOrder = "upload-out-of-order";
    public const string WorkspaceNotFound = "workspace-not-found";
    public const string ConversionFailed = "conversion-failed";
}
