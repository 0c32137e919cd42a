using System.Globalization;
using Holdfast.Engine;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Sends bytes to a job's standard input, in order. A connection that breaks leaves unknown whether the last piece arrived; it is then
/// neither sent again nor skipped, but said (<c>server-unreachable</c>): a command line typed twice can do harm.
/// </summary>
internal sealed class StandardInputSender(HoldfastClient client, string id)
{
    private const int PieceMax = 64 * 1024;
    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(50);

    public long SentBytes { get; private set; }

    public async Task SendAllAsync(ReadOnlyMemory<byte> bytes, bool isEnd, CancellationToken cancellationToken)
    {
        do
        {
            int count = Math.Min(bytes.Length, PieceMax);
            await SendPieceAsync(bytes[..count], isEnd && count == bytes.Length, cancellationToken).ConfigureAwait(false);
            bytes = bytes[count..];
        } while (bytes.Length > 0);
    }

    private async Task SendPieceAsync(ReadOnlyMemory<byte> piece, bool isEnd, CancellationToken cancellationToken)
    {
        var request = new ApiRequest(HttpMethod.Post, $"v1/executions/{Work.Segment(id)}/stdin{(isEnd ? "?end=true" : "")}")
        {
            Body = piece.ToArray(),
            ContentType = "application/octet-stream",
            IsRepeatable = isEnd && piece.Length == 0,
        };
        while (true)
        {
            try
            {
                _ = await client.SendAsync(request, cancellationToken).ConfigureAwait(false);
                SentBytes += piece.Length;
                return;
            }
            catch (RefusedException refusal) when (refusal.Code == ErrorCodes.StandardInputFull)
            {
                // The job reads slower than we send; its buffer is the server's bound, and this is where the writer waits.
                await Task.Delay(FullPause, TimeProvider.System, cancellationToken).ConfigureAwait(false);
            }
            catch (RefusedException refusal) when (refusal.Code == ErrorCodes.ServerUnreachable)
            {
                throw new RefusedException(
                    refusal.Code,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{refusal.Message} (standard input: {SentBytes} bytes are known to have arrived, {piece.Length} more may have)"
                    )
                );
            }
        }
    }
}
