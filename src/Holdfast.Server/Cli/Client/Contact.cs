using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Client;

/// <summary>Opens the way to a server for a verb.</summary>
internal static class Contact
{
    /// <summary>
    /// A client for the server there is; starts one in the background when nothing names a server and the data directory has none.
    /// </summary>
    public static async Task<HoldfastClient> OpenOrStartAsync(CliContext context, Arguments arguments, CancellationToken cancellationToken)
    {
        var client = new HoldfastClient(context, arguments);
        if (client.Locator.IsByDataDirectory && client.Locator.Locate() is null)
        {
            await BackgroundServer.StartAsync(context, client.Locator, cancellationToken).ConfigureAwait(false);
        }

        return client;
    }
}
