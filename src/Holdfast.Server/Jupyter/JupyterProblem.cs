using Holdfast.Engine;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Jupyter;

/// <summary>
/// Errors as Jupyter's servers give them: <c>{"message","reason"}</c>, where reason is the same stable code that every other door gives.
/// </summary>
internal static class JupyterProblem
{
    private const string RetryAfterSeconds = "1";

    /// <param name="status">What the REST door would answer; Jupyter differs in a few.</param>
    public static Task WriteAsync(HttpContext context, string code, string message, int status)
    {
        // Jupyter's clients know a missing token as 403: a 401 has browsers ask for a password of their own.
        status = code == ErrorCodes.Unauthorized ? StatusCodes.Status403Forbidden : status;
        if (Failure.IsPassing(code))
        {
            context.Response.Headers.RetryAfter = RetryAfterSeconds;
        }

        return JupyterAnswer.WriteAsync(
            context,
            status,
            writer =>
            {
                writer.WriteStartObject();
                writer.WriteString("message", message);
                writer.WriteString("reason", code);
                if (status == StatusCodes.Status500InternalServerError)
                {
                    writer.WriteString("traceback", ""); // A client reads it on 500; ours is in the log.
                }

                writer.WriteEndObject();
            }
        );
    }
}
