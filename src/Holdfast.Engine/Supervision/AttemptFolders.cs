using Holdfast.Engine.Executions;

namespace Holdfast.Engine.Supervision;

/// <summary>Where attempts live on disk, and where their supervisors listen.</summary>
public sealed class AttemptFolders(string attemptsDirectory, string socketDirectory)
{
    /// <summary>Sockets have short names: a path may take 107 bytes in all. The last twelve characters of an id are all random.</summary>
    private const int SocketNameLength = 12;

    public string Of(AttemptId id) => Path.Combine(attemptsDirectory, id.Value);

    public string SocketOf(AttemptId id) => Path.Combine(socketDirectory, id.Value[^SocketNameLength..] + ".sock");
}
