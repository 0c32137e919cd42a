using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.Text.Json;
using Holdfast.Engine;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Reads an execution's output from an offset, and goes on at the exact byte whatever happens to the connection or the server. What is
/// there already comes as plain bytes; what is still to come, by server-sent events.
/// </summary>
public sealed class OutputReader(HoldfastClient client, TimeProvider time, string id, string stream, long offset)
{
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(90);
    private const int CopySize = 128 * 1024;

    /// <summary>The next byte to come.</summary>
    public long Offset { get; private set; } = offset;

    /// <summary>Is given bytes in order, each once, with the offset of the first.</summary>
    public required Action<ReadOnlyMemory<byte>, long> OnBytes { get; init; }

    /// <summary>Is given what the server says about the stream itself, such as a gap.</summary>
    public Action<string>? OnNotice { get; init; }

    /// <summary>Copies what is there now. True when that was all there will ever be.</summary>
    public async Task<bool> CopyPresentAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            long before = Offset;
            try
            {
                if (await CopyOnceAsync(cancellationToken).ConfigureAwait(false))
                {
                    return true;
                }
            }
            catch (Exception failure) when (HoldfastClient.IsBreak(failure))
            {
                await client.EndureAsync(failure, cancellationToken).ConfigureAwait(false);
                continue;
            }

            if (Offset == before)
            {
                return false;
            }
        }
    }

    /// <summary>Copies until the execution has ended and all its output is here; returns the execution as it ended.</summary>
    public async Task<JsonElement> FollowAsync(CancellationToken cancellationToken)
    {
        if (await CopyPresentAsync(cancellationToken).ConfigureAwait(false))
        {
            return await client.GetAsync($"v1/executions/{id}", cancellationToken).ConfigureAwait(false);
        }

        return await FollowFreshAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same for an execution that has just been asked for: there is no backlog worth a request of its own.</summary>
    public async Task<JsonElement> FollowFreshAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                JsonElement execution = await FollowOnceAsync(cancellationToken).ConfigureAwait(false);
                if (execution.HasEnded())
                {
                    return execution;
                }
            }
            catch (Exception failure) when (HoldfastClient.IsBreak(failure))
            {
                await client.EndureAsync(failure, cancellationToken).ConfigureAwait(false);
                continue;
            }

            // The stream ends where the bytes end, which may be a moment before the outcome is committed, or before a queued job has begun.
            JsonElement later = await client
                .SendAsync(ApiRequest.Get($"v1/executions/{id}/wait?timeoutSeconds=1") with { ServerTime = SilenceMax }, cancellationToken)
                .ConfigureAwait(false);
            if (later.HasEnded())
            {
                _ = await CopyPresentAsync(cancellationToken).ConfigureAwait(false);
                return later;
            }
        }
    }

    private async Task<bool> CopyOnceAsync(CancellationToken cancellationToken)
    {
        string path = string.Create(CultureInfo.InvariantCulture, $"v1/executions/{id}/output?stream={stream}&offset={Offset}");
        using HttpResponseMessage response = await client.OpenAsync(ApiRequest.Get(path), cancellationToken).ConfigureAwait(false);
        RequireOffset(Header(response, "Holdfast-Offset"));
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(CopySize);
        try
        {
            for (int count; (count = await body.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0; )
            {
                Deliver(buffer.AsMemory(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Header(response, "Holdfast-Complete") == "true";
    }

    private async Task<JsonElement> FollowOnceAsync(CancellationToken cancellationToken)
    {
        string path = string.Create(
            CultureInfo.InvariantCulture,
            $"v1/executions/{id}/follow?stream={stream}&offset={Offset}&encoding=base64"
        );
        using HttpResponseMessage response = await client.OpenAsync(ApiRequest.Get(path), cancellationToken).ConfigureAwait(false);
        Stream body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        using var events = new ServerEventReader(body, time, SilenceMax);
        while (await events.ReadAsync(cancellationToken).ConfigureAwait(false) is { } next)
        {
            switch (next.Name)
            {
                case "message" or "data" or "output":
                    DeliverBase64(next);
                    break;
                case "end":
                    return JsonFields.Parse(next.Data.ToArray());
                default:
                    OnNotice?.Invoke($"{next.Name}: {next.DataText}");
                    break;
            }
        }

        // The stream ended without its last event: the server is going, in good order. The next try finds out.
        throw new IOException("it closed the connection");
    }

    private void DeliverBase64(ServerEvent next)
    {
        byte[] bytes = new byte[Base64.GetMaxDecodedFromUtf8Length(next.Data.Length)];
        if (Base64.DecodeFromUtf8(next.Data.Span, bytes, out _, out int count) != OperationStatus.Done)
        {
            throw new RefusedException(ErrorCodes.InternalError, "The server sent output that is not base64.");
        }

        Deliver(bytes.AsMemory(0, count));
        RequireOffset(next.Id);
    }

    private void Deliver(ReadOnlyMemory<byte> bytes)
    {
        OnBytes(bytes, Offset);
        Offset += bytes.Length;
        client.Progressed();
    }

    /// <summary>
    /// Bytes are counted on both sides; if the counts differ, something would be missing or doubled in what we print, so we do not go on.
    /// </summary>
    private void RequireOffset(string? said)
    {
        if (said is not null && long.TryParse(said, NumberStyles.None, CultureInfo.InvariantCulture, out long theirs) && theirs != Offset)
        {
            throw new RefusedException(
                ErrorCodes.InternalError,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The output does not join: the server is at byte {theirs}, this is at byte {Offset}. Read on with: holdfast logs {id} --offset {Offset}"
                )
            );
        }
    }

    private static string? Header(HttpResponseMessage response, string name) =>
        response.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.FirstOrDefault() : null;
}
