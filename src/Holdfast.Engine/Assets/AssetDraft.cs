using System.Security.Cryptography;
using Holdfast.Protocol.Processes;

namespace Holdfast.Engine.Assets;

/// <summary>
/// An asset in the making: bytes go to a temporary file and through the hash at once. Gone when it is disposed without having been placed.
/// </summary>
internal sealed class AssetDraft : IAsyncDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly Action _over;

    public AssetDraft(string path, Action over)
    {
        (Path, _over) = (path, over);
        try
        {
            _file = new FileStream(
                path,
                new FileStreamOptions
                {
                    Mode = FileMode.CreateNew,
                    Access = FileAccess.Write,
                    Share = FileShare.Read,
                    BufferSize = 0,
                    UnixCreateMode = OwnerOnly,
                }
            );
        }
        catch (Exception e)
        {
            over();
            throw e is IOException io ? AsRefusal(io) : e;
        }
    }

    public string Path { get; }

    public long Length { get; private set; }

    /// <summary>Refused: disk-full.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await _file.WriteAsync(bytes, cancellationToken);
        }
        catch (IOException e)
        {
            throw AsRefusal(e);
        }

        _hash.AppendData(bytes.Span);
        Length += bytes.Length;
    }

    /// <summary>Everything is on disk, under a name that says nothing yet.</summary>
    public AssetHash Finish()
    {
        try
        {
            _file.Flush(flushToDisk: true);
        }
        catch (IOException e)
        {
            throw AsRefusal(e);
        }

        return new AssetHash(Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    public async ValueTask DisposeAsync()
    {
        await _file.DisposeAsync();
        _hash.Dispose();
        try
        {
            File.Delete(Path);
        }
        catch (IOException)
        {
            // The sweep for orphans removes it.
        }

        _over();
    }

    internal static Exception AsRefusal(IOException failure) =>
        failure.HResult is Libc.Enospc or Libc.Edquot
            ? new RefusedException(
                ErrorCodes.DiskFull,
                "There is no room left on the disk for this asset, and nothing of it was kept. Free some space: holdfast assets prune --dry-run shows what could go."
            )
            : failure;
}
