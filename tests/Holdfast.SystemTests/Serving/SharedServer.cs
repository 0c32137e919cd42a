namespace Holdfast.SystemTests.Serving;

/// <summary>One server for the tests of a class that do it no harm.</summary>
public sealed class SharedServer : IAsyncLifetime
{
    internal TestServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync() =>
        Server = await TestServer.StartAsync(new TestServerOptions { Arguments = ["--slots", "32"] });

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}
