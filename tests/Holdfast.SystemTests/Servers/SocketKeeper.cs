using Holdfast.SystemTests.Clients;
using Holdfast.SystemTests.Serving;

namespace Holdfast.SystemTests.Servers;

/// <summary>
/// What systemd is to a server whose unit has a store for descriptors, as far as that goes: it keeps the server's listening sockets open
/// from one start to the next.
/// </summary>
internal sealed class SocketKeeper : IAsyncDisposable
{
    private readonly DirectoryInfo _folder;
    private readonly OutsideProcess _process;

    private SocketKeeper(DirectoryInfo folder, OutsideProcess process) => (_folder, _process) = (folder, process);

    /// <summary>For the options of a server that it is to start.</summary>
    public string[] Wrapper => [Outsiders.Python, Script, "start", Address(_folder)];

    /// <summary>All notices that it was sent, one a line.</summary>
    public string Heard => _process.Said;

    private static string Script => Path.Combine(AppContext.BaseDirectory, "Servers", "manager.py");

    public static async Task<SocketKeeper> StartAsync()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("holdfast-");
        var manager = new SocketKeeper(folder, OutsideProcess.Start(folder.FullName, [Outsiders.Python, Script, "keep", Address(folder)]));
        await manager._process.HearAsync("keeping");
        return manager;
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private static string Address(DirectoryInfo folder) => Path.Combine(folder.FullName, "notify");
}
