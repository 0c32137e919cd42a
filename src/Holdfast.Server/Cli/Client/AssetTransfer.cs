using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Holdfast.Engine;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// An asset's bytes to and from the server. What comes is checked against its name; a file is written whole or not at all.
/// </summary>
internal static class AssetTransfer
{
    private const int PieceBytes = 1 << 20;

    /// <summary>For bytes to go over a slow line; what does not answer at all is noticed by the connection.</summary>
    private static readonly TimeSpan Long = TimeSpan.FromHours(12);

    public static async Task<int> GetAsync(
        CliContext context,
        HoldfastClient client,
        string name,
        string? file,
        CancellationToken interruption
    )
    {
        Engine.Assets.AssetHash hash = Engine.Assets.AssetHash.Parse(name);
        using HttpResponseMessage response = await client
            .OpenAsync(ApiRequest.Get($"v1/assets/{hash}") with { ServerTime = Long }, interruption)
            .ConfigureAwait(false);
        string? path = file is null ? null : Path.GetFullPath(file, context.CurrentDirectory);
        string? temporary = path is null ? null : path + ".holdfast-part";
        try
        {
            FileStream? output = temporary is null ? null : new FileStream(temporary, FileMode.Create, FileAccess.Write);
            await using (output)
            {
                await CopyAsync(
                        response,
                        hash,
                        async bytes =>
                        {
                            if (output is null)
                            {
                                context.Terminal.Write(bytes.Span);
                            }
                            else
                            {
                                await output.WriteAsync(bytes, interruption).ConfigureAwait(false);
                            }
                        },
                        interruption
                    )
                    .ConfigureAwait(false);
            }

            if (temporary is not null)
            {
                File.Move(temporary, path!, overwrite: true);
            }

            return ExitCodes.Success;
        }
        finally
        {
            if (temporary is not null)
            {
                File.Delete(temporary);
            }
        }
    }

    public static async Task<JsonElement> PutAsync(
        CliContext context,
        HoldfastClient client,
        string file,
        string? type,
        TimeSpan? lease,
        string? pin,
        CancellationToken interruption
    )
    {
        string path = Path.GetFullPath(file, context.CurrentDirectory);
        if (!File.Exists(path))
        {
            throw new Syntax.UsageException($"There is no file {path}.");
        }

        string query = string.Create(
            CultureInfo.InvariantCulture,
            $"{(lease is { } given ? $"&leaseSeconds={(long)given.TotalSeconds}" : "")}{(pin is null ? "" : $"&pin={Uri.EscapeDataString(pin)}")}"
        );
        return await client
            .SendAsync(
                new ApiRequest(HttpMethod.Post, "v1/assets" + (query.Length == 0 ? "" : "?" + query[1..]))
                {
                    ContentType = type ?? Engine.Contents.MimeTypes.Of(path) ?? "application/octet-stream",
                    OpenBody = () => File.OpenRead(path),
                    IsRepeatable = true, // The same bytes twice are one asset.
                    ServerTime = Long,
                },
                interruption
            )
            .ConfigureAwait(false);
    }

    private static async Task CopyAsync(
        HttpResponseMessage response,
        Engine.Assets.AssetHash hash,
        Func<ReadOnlyMemory<byte>, Task> write,
        CancellationToken interruption
    )
    {
        using var sum = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Stream content = await response.Content.ReadAsStreamAsync(interruption).ConfigureAwait(false);
        await using (content.ConfigureAwait(false))
        {
            byte[] piece = new byte[PieceBytes];
            while (await content.ReadAsync(piece, interruption).ConfigureAwait(false) is > 0 and var length)
            {
                sum.AppendData(piece, 0, length);
                await write(piece.AsMemory(0, length)).ConfigureAwait(false);
            }
        }

        if (Convert.ToHexStringLower(sum.GetHashAndReset()) != hash.Value)
        {
            throw new RefusedException(
                ErrorCodes.AssetDamaged,
                $"What the server has under {hash} is something else now: its disk may be failing. Store the same bytes again to mend it."
            );
        }
    }
}
