namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Refuses a callback that could never be delivered, when it is asked for and not at the end of a long job. What a name resolves to is not
/// looked at here: that is checked at each connection, since it may change.
/// Errors: invalid-request, callback-url-invalid, callback-address-not-allowed.
/// </summary>
public sealed class CallbackCheck(AddressGuard guard)
{
    /// <summary>Null when none is asked for.</summary>
    public CallbackOrder? Check(CallbackRequest? request, string? cwd)
    {
        if (request is null)
        {
            return null;
        }

        if (request.Url is null == request.Argv is null)
        {
            throw Invalid("callback must have either a url or an argv");
        }

        if (request is { Secret: not null, Secrets: not null })
        {
            throw Invalid("callback.secret and callback.secrets cannot both be given");
        }

        IReadOnlyList<string> secrets = request.Secrets ?? (request.Secret is { } one ? [one] : []);
        if (secrets.Count > CallbackLimits.SecretsMax)
        {
            throw Invalid($"callback.secrets has {secrets.Count} entries; at most {CallbackLimits.SecretsMax} are allowed");
        }

        foreach (string secret in secrets)
        {
            if (WebhookSignature.KeyOf(secret) is null)
            {
                // Never the secret itself: this sentence is logged and shown.
                throw Invalid(
                    $"callback.secret must be whsec_ and {CallbackLimits.SecretBytesMin} to {CallbackLimits.SecretBytesMax} bytes in base64; such as printf whsec_; openssl rand -base64 32"
                );
            }
        }

        if (request.Argv is not null)
        {
            CheckCommand(request.Argv);
        }

        return new CallbackOrder
        {
            Url = request.Url is { } url ? CheckUrl(url) : null,
            Argv = request.Argv,
            Cwd = request.Argv is null ? null : cwd ?? Environment.CurrentDirectory,
            Secrets = secrets,
            Schedule = CallbackSchedule.Parse(request.Schedule),
        };
    }

    private string CheckUrl(string text)
    {
        if (text.Length > CallbackLimits.UrlLengthMax)
        {
            throw InvalidUrl($"is longer than {CallbackLimits.UrlLengthMax} characters");
        }

        if (
            !Uri.TryCreate(text, UriKind.Absolute, out Uri? url)
            || (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
            || url.Host.Length == 0
        )
        {
            throw InvalidUrl("must be an absolute http or https address, such as https://example.org/hook");
        }

        if (url.UserInfo.Length > 0)
        {
            throw InvalidUrl(
                "has a name or password in it, which everybody would see who lists callbacks. Give a secret instead: what is sent is signed with it"
            );
        }

        if (url.Port is 0)
        {
            throw InvalidUrl("has the port 0, which nobody listens at");
        }

        return guard.MayBeAllowed(url.IdnHost)
            ? url.AbsoluteUri
            : throw new RefusedException(ErrorCodes.CallbackAddressNotAllowed, AddressRefusedException.Explain(url.Host));
    }

    private static void CheckCommand(IReadOnlyList<string> argv)
    {
        if (argv.Count is 0 or > CallbackLimits.ArgumentsMax || string.IsNullOrEmpty(argv[0]))
        {
            throw Invalid($"callback.argv must name a command, in 1 to {CallbackLimits.ArgumentsMax} words");
        }

        if (argv.Any(static a => a is null || a.Contains('\0')))
        {
            throw Invalid("callback.argv has a null, or a NUL character, which no process can be given");
        }
    }

    private static RefusedException Invalid(string what) => new(ErrorCodes.InvalidRequest, what + ".");

    private static RefusedException InvalidUrl(string what) => new(ErrorCodes.CallbackUrlInvalid, $"callback.url {what}.");
}
