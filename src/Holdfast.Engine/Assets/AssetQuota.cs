using System.Globalization;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Assets;

/// <summary>
/// How much assets may take together. Beyond it new work is refused; nothing is ever deleted for it, and what was begun is kept whole.
/// </summary>
public sealed class AssetQuota(StateStore store, AssetOptions options)
{
    /// <summary>Refused: asset-quota-exceeded, for work that may make assets, when there is no room for any.</summary>
    public void ThrowIfFull()
    {
        if (options.QuotaBytes > 0)
        {
            store.Read(reader =>
            {
                ThrowIfOver(reader, 1);
                return true;
            });
        }
    }

    /// <summary>Refused: asset-quota-exceeded, when so many bytes more are too many.</summary>
    internal void ThrowIfOver(StoreReader reader, long more)
    {
        if (options.QuotaBytes > 0 && AssetsTable.Total(reader).Bytes is var used && used > options.QuotaBytes - more)
        {
            throw new RefusedException(
                ErrorCodes.AssetQuotaExceeded,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Assets take {used:N0} of the {options.QuotaBytes:N0} bytes that serve --asset-quota allows, so no new work that may need more is taken. See what could go with holdfast assets prune --dry-run, delete or rerun what refers to them, or give more."
                )
            );
        }
    }

    internal long? Left => options.QuotaBytes > 0 ? Math.Max(0, options.QuotaBytes - store.Read(AssetsTable.Total).Bytes) : null;
}
