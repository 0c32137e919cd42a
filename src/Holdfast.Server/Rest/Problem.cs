using System.Diagnostics;
using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>The REST door's one mapping of errors: application/problem+json (RFC 9457) with a stable code.</summary>
internal static class Problem
{
    /// <summary>Codes not listed are the caller's fault in no special way: 400.</summary>
    private static readonly Dictionary<string, int> Statuses = new()
    {
        [ErrorCodes.InternalError] = 500,
        [ErrorCodes.BodyTooLarge] = 413,
        [ErrorCodes.Unauthorized] = 401,
        [ErrorCodes.ForbiddenScope] = 403,
        [ErrorCodes.TooManyFailures] = 429,
        [ErrorCodes.TokenNotFound] = 404,
        [ErrorCodes.TokenNameTaken] = 409,
        [ErrorCodes.HostNotAllowed] = 403,
        [ErrorCodes.OriginNotAllowed] = 403,
        [ErrorCodes.PrefixNotAllowed] = 403,
        [ErrorCodes.XsrfCheckFailed] = 403,
        [ErrorCodes.RouteNotFound] = 404,
        [ErrorCodes.MethodNotAllowed] = 405,
        [ErrorCodes.Recovering] = 503,
        [ErrorCodes.ServerStopping] = 503,
        [ErrorCodes.RecoveryItemNotFound] = 404,
        [ErrorCodes.RecoveryItemAlive] = 409,
        [ErrorCodes.ExecutionNotFound] = 404,
        [ErrorCodes.RunNotFound] = 404,
        [ErrorCodes.KernelNotFound] = 404,
        [ErrorCodes.TerminalNotFound] = 404,
        [ErrorCodes.KernelSpecNotFound] = 404,
        [ErrorCodes.SessionNotFound] = 404,
        [ErrorCodes.SessionKernelGone] = 410,
        [ErrorCodes.WorkspaceNotFound] = 404,
        [ErrorCodes.ConversionFailed] = 422,
        [ErrorCodes.NotebookNotFound] = 404,
        [ErrorCodes.CellNotFound] = 404,
        [ErrorCodes.KernelDied] = 502,
        [ErrorCodes.KernelNotRunning] = 409,
        [ErrorCodes.LockNotHeld] = 409,
        [ErrorCodes.CallbackNotFound] = 404,
        [ErrorCodes.IllegalTransition] = 409,
        [ErrorCodes.IdempotencyConflict] = 409,
        [ErrorCodes.NotebookBusy] = 409,
        [ErrorCodes.CellBlocked] = 409,
        [ErrorCodes.NotebookNotReactive] = 409,
        [ErrorCodes.NotebookNotConvertible] = 409,
        [ErrorCodes.CellChanged] = 409,
        [ErrorCodes.NothingToResume] = 409,
        [ErrorCodes.StandardInputClosed] = 409,
        [ErrorCodes.InputNotRequested] = 409,
        [ErrorCodes.StandardInputFull] = 429,
        [ErrorCodes.SupervisorUnreachable] = 503,
        [ErrorCodes.DiskFull] = 507,
        [ErrorCodes.StoreFailed] = 500,
        [ErrorCodes.StoreConstraint] = 500,
        [ErrorCodes.StoreCorrupt] = 500,
        [ErrorCodes.StoreClosed] = 503,
        [ErrorCodes.AssetNotFound] = 404,
        [ErrorCodes.AssetDamaged] = 410,
        [ErrorCodes.AssetHashMismatch] = 422,
        [ErrorCodes.AssetQuotaExceeded] = 507,
        [ErrorCodes.OutputOffsetInvalid] = 416,
        [ErrorCodes.OutputGone] = 410,
        [ErrorCodes.OutputUnreadable] = 500,
        [ErrorCodes.NotSupported] = 501,
        [ErrorCodes.ContentsNotFound] = 404,
        [ErrorCodes.ContentsExists] = 409,
        [ErrorCodes.ContentsNotReadable] = 403,
        [ErrorCodes.ContentsNotWritable] = 403,
        [ErrorCodes.ContentsTooLarge] = 413,
        [ErrorCodes.CheckpointNotFound] = 404,
        [ErrorCodes.UploadOutOfOrder] = 409,
    };

    private const string RetryAfterSeconds = "1";

    public static int StatusOf(string code) => Statuses.GetValueOrDefault(code, 400);

    public static Task WriteAsync(HttpContext context, string code, string detail)
    {
        int status = StatusOf(code);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        if (Failure.IsPassing(code))
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
        }

        string traceId = Activity.Current?.Id ?? context.TraceIdentifier;
        using (var writer = new Utf8JsonWriter(context.Response.BodyWriter, RestText.Options))
        {
            writer.WriteStartObject();
            writer.WriteString("type", $"docs/errors/{code}.md");
            writer.WriteString("title", code.Replace('-', ' '));
            writer.WriteNumber("status", status);
            writer.WriteString("detail", detail);
            writer.WriteString("code", code);
            writer.WriteString("traceId", traceId);
            writer.WriteEndObject();
        }

        return context.Response.BodyWriter.FlushAsync(context.RequestAborted).AsTask();
    }
}
