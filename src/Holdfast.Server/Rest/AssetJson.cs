using System.Text.Json;
using Holdfast.Engine;
using Holdfast.Engine.Assets;

namespace Holdfast.Server.Rest;

/// <summary>Assets as JSON.</summary>
internal static class AssetJson
{
    /// <summary>Of each list of a pruning, so many are named; the counts are of all.</summary>
    private const int NamedMax = 1000;

    public static void Write(Utf8JsonWriter writer, Asset asset, IReadOnlyList<string>? reasons = null)
    {
        writer.WriteStartObject();
        writer.WriteString("sha256", asset.Hash.Value);
        writer.WriteNumber("size", asset.Size);
        writer.WriteString("mediaType", asset.MediaType);
        ExecutionJson.WriteTime(writer, "createdAt", asset.CreatedAt);
        ExecutionJson.WriteTime(writer, "leaseUntil", asset.LeaseUntil);
        writer.WriteString("state", StateOf(asset, TimeProvider.System.NowMicroseconds()));
        writer.WriteStartArray("references");
        foreach (AssetReference reference in asset.References)
        {
            writer.WriteStartObject();
            writer.WriteString("kind", reference.KindName);
            writer.WriteString("subject", reference.Subject);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        if (reasons is not null)
        {
            writer.WriteStartArray("reasons");
            foreach (string reason in reasons)
            {
                writer.WriteStringValue(reason);
            }

            writer.WriteEndArray();
        }

        writer.WriteEndObject();
    }

    public static void Write(Utf8JsonWriter writer, PruneResult result)
    {
        writer.WriteStartObject();
        writer.WriteBoolean("dryRun", result.IsDryRun);
        WriteList("deleted", [.. result.Deleted.Select(static a => new KeptAsset(a, null!))]);
        WriteList("kept", result.Kept);
        writer.WriteStartArray("missing");
        foreach (AssetHash hash in result.Missing)
        {
            writer.WriteStringValue(hash.Value);
        }

        writer.WriteEndArray();
        writer.WriteEndObject();

        void WriteList(string name, IReadOnlyList<KeptAsset> assets)
        {
            writer.WriteStartObject(name);
            writer.WriteNumber("count", assets.Count);
            writer.WriteNumber("bytes", assets.Sum(static a => a.Asset.Size));
            writer.WriteStartArray("assets");
            foreach (KeptAsset kept in assets.Take(NamedMax))
            {
                Write(writer, kept.Asset, kept.Reasons);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }
    }

    private static string StateOf(Asset asset, long now) =>
        asset.DeletingAt is not null ? "deleting"
        : asset.References.Count > 0 ? "referenced"
        : asset.LeaseUntil >= now ? "leased"
        : "expired";
}
