using System.Security.Cryptography;
using Holdfast.Engine.Executions;
using Holdfast.Engine.Notebooks.Outputs;
using Holdfast.Engine.Store;
using Microsoft.Extensions.Logging;

namespace Holdfast.Engine.Assets;

/// <summary>Where an output's value is kept: what stands in the notebook for it.</summary>
public sealed record AssetMark(AssetHash Hash, long Size, string MediaType);

/// <summary>A value that is too large for the notebook it belongs to, of an execution that is over.</summary>
/// <param name="Open">Its bytes.</param>
/// <param name="Accept">Told where it is kept.</param>
internal sealed record LargeOutput(ExecutionId Execution, Func<Stream> Open, string MediaType, Action<AssetMark> Accept);

/// <summary>
/// Keeps as assets what is too large for a notebook, referred to by its execution and by the notebook's file before that is written.
/// </summary>
internal sealed partial class OutputAssets(
    StoreAsset storeAsset,
    StateStore store,
    string folder,
    AssetOptions options,
    TimeProvider time,
    ILogger logger
)
{
    /// <summary>A value is too large when it is longer than so many bytes as JSON.</summary>
    public int InlineBytesMax => Spools.InlineBytesMax;

    /// <summary>Where they wait for the end of their execution.</summary>
    public OutputSpools Spools { get; } =
        new(folder, options.InlineBytesMax is > 0 and < int.MaxValue ? (int)options.InlineBytesMax : int.MaxValue, time);

    /// <summary>One that cannot be stored now is logged and left; the notebook then says that the journal has it.</summary>
    /// <param name="notebook">The file's own path.</param>
    public async Task StoreAsync(IEnumerable<LargeOutput> outputs, string notebook, CancellationToken cancellationToken)
    {
        foreach (LargeOutput output in outputs)
        {
            try
            {
                await using Stream content = output.Open();
                StoredAsset stored = await storeAsset.RunAsync(
                    content,
                    new AssetToStore(output.MediaType)
                    {
                        References =
                        [
                            new AssetReference(AssetReferenceKind.Execution, output.Execution.Value),
                            new AssetReference(AssetReferenceKind.Notebook, notebook),
                        ],
                        IsOutput = true,
                    },
                    cancellationToken
                );
                output.Accept(MarkOf(stored.Asset, output));
            }
            catch (Exception e) when (e is RefusedException or StoreException or IOException or UnauthorizedAccessException)
            {
                Log.NotStored(logger, output.Execution.Value, e);
            }
        }
    }

    /// <summary>Accepts an output that is kept already, and says whether it is.</summary>
    public bool TryAccept(LargeOutput output)
    {
        using Stream content = output.Open();
        var hash = new AssetHash(Convert.ToHexStringLower(SHA256.HashData(content)));
        if (store.Read(reader => AssetsTable.Find(reader, hash)) is not { } asset)
        {
            return false;
        }

        output.Accept(MarkOf(asset, output));
        return true;
    }

    private static AssetMark MarkOf(Asset asset, LargeOutput output) => new(asset.Hash, asset.Size, output.MediaType);

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.OutputNotStored,
            LogLevel.Warning,
            "A large output of execution {Execution} could not be kept as an asset; its journal has it."
        )]
        public static partial void NotStored(ILogger logger, string execution, Exception exception);
    }
}
