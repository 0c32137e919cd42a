using Holdfast.Engine;
using Holdfast.Engine.Store;

namespace Holdfast.Server.Hosting;

/// <summary>
/// What an exception means to a caller, whatever the door: a stable code and a sentence. Whoever sees
/// <see cref="ErrorCodes.InternalError"/> logs the exception.
/// </summary>
internal readonly record struct Failure(string Code, string Detail)
{
    public static Failure Of(Exception exception) =>
        exception switch
        {
            RefusedException e => new Failure(e.Code, e.Message),
            StoreException e => new Failure(e.Code, e.Message),
            BadHttpRequestException { StatusCode: 413 } => new Failure(
                ErrorCodes.BodyTooLarge,
                "The body is larger than this server takes. Put large input into a file and name it."
            ),
            BadHttpRequestException e => new Failure(ErrorCodes.InvalidRequest, e.Message),
            _ => new Failure(
                ErrorCodes.InternalError,
                "The server made a mistake. Its log has the details under this traceId; the work it holds is not harmed."
            ),
        };

    /// <summary>Those that pass by themselves, when the server has started or is back: a caller is told when to come again.</summary>
    public static bool IsPassing(string code) => code is ErrorCodes.Recovering or ErrorCodes.ServerStopping or ErrorCodes.StoreClosed;
}
