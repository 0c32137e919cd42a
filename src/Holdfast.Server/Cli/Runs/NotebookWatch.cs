using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Holdfast.Engine;
using Holdfast.Server.Cli.Client;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Runs;

/// <summary>
/// `holdfast notebook watch`: runs what is stale whenever the file's cells have changed, whoever saved it and however: written in place, or
/// another file renamed over it. What the server writes into it are outputs, which change no cell. An edit while cells run supersedes those
/// that have not begun.
/// </summary>
internal sealed class NotebookWatch(CliContext context, Arguments arguments, HoldfastClient client, string path)
{
    /// <summary>Editors write in several steps; a file is looked at when it has been left alone for so long.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(50);

    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true }
    );

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // The folder, not the file: a file that is renamed over it is another one.
        using var watcher = new FileSystemWatcher(Path.GetDirectoryName(path)!)
        {
            NotifyFilter = NotifyFilters.FileName | NotifyFilters.LastWrite | NotifyFilters.Size,
        };
        watcher.Changed += (_, change) => Note(change.FullPath);
        watcher.Created += (_, change) => Note(change.FullPath);
        watcher.Renamed += (_, change) => Note(change.FullPath);
        watcher.Error += (_, _) => _changes.Writer.TryWrite(true); // Events were lost: look.
        watcher.EnableRaisingEvents = true;
        _changes.Writer.TryWrite(true);
        if (!arguments.IsJson)
        {
            context.Terminal.WriteLine($"Watching {TerminalText.Printable(path)}; Ctrl-C ends that, and nothing else.");
        }

        byte[]? seen = null;
        if (Digest() is null)
        {
            await TryBeginAsync(cancellationToken).ConfigureAwait(false); // It is no notebook: the server says why. It may become one.
        }

        while (await _changes.Reader.WaitToReadAsync(cancellationToken).ConfigureAwait(false))
        {
            await Task.Delay(Quiet, context.Time, cancellationToken).ConfigureAwait(false);
            while (_changes.Reader.TryRead(out _))
            {
                // They are all answered by one look.
            }

            if (Digest() is { } now && (seen is null || !now.AsSpan().SequenceEqual(seen)))
            {
                seen = await TryBeginAsync(cancellationToken).ConfigureAwait(false) ? now : null;
            }
        }
    }

    private void Note(string changed)
    {
        if (changed == path)
        {
            _changes.Writer.TryWrite(true);
        }
    }

    /// <summary>Of the cells as they are to be run; null while the file is not there, or half written.</summary>
    private byte[]? Digest()
    {
        try
        {
            using JsonDocument notebook = JsonDocument.Parse(File.ReadAllBytes(path));
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (JsonElement cell in notebook.RootElement.GetProperty("cells").EnumerateArray())
            {
                hash.AppendData(
                    JsonFields.Write(json =>
                    {
                        json.WriteStartArray();
                        json.WriteStringValue(cell.Text("id"));
                        json.WriteStringValue(cell.Text("cell_type"));
                        cell.GetProperty("source").WriteTo(json);
                        if (
                            cell.TryGetProperty("metadata", out JsonElement metadata)
                            && metadata.TryGetProperty("tags", out JsonElement tags)
                        )
                        {
                            tags.WriteTo(json);
                        }

                        if (
                            cell.TryGetProperty("metadata", out metadata)
                            && metadata.TryGetProperty("holdfast", out JsonElement ours)
                            && ours.TryGetProperty("disabled", out JsonElement disabled)
                        )
                        {
                            disabled.WriteTo(json);
                        }

                        json.WriteEndArray();
                    })
                );
            }

            return hash.GetHashAndReset();
        }
        catch (Exception e)
            when (e is JsonException or IOException or UnauthorizedAccessException or KeyNotFoundException or InvalidOperationException)
        {
            return null; // The next change tells.
        }
    }

    private async Task<bool> TryBeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            JsonElement cascade = await client
                .SendAsync(CascadeRun.Request(path, arguments.Text(RunOptions.Kernel.Name), isResume: false), cancellationToken)
                .ConfigureAwait(false);
            await CascadeRun.TellExcludedAsync(context, arguments, client, path, cascade, cancellationToken).ConfigureAwait(false);
            if (cascade.Text("id") is { } id)
            {
                _ = TellAsync(id, cascade, cancellationToken);
            }

            return true;
        }
        catch (RefusedException refused)
        {
            // Half a notebook, or a run of it that goes on: the next save is another try.
            context.Terminal.WriteError(
                System.Text.Encoding.UTF8.GetBytes($"holdfast: {TerminalText.Printable(refused.Message)} [{refused.Code}]\n")
            );
            return true;
        }
    }

    /// <summary>A line for each cell when it has ended, and one for the whole.</summary>
    private async Task TellAsync(string id, JsonElement cascade, CancellationToken cancellationToken)
    {
        bool isSuperseded = false;
        try
        {
            foreach (JsonElement cell in cascade.Items("cells"))
            {
                JsonElement end = (
                    await new Work(cell.Text("executionId") ?? "", IsRun: false, default)
                        .WaitAsync(client, cancellationToken)
                        .ConfigureAwait(false)
                ).Answer;
                if (end.Text("cause") == "superseded")
                {
                    isSuperseded = true;
                }
                else
                {
                    string reason =
                        end.Text("state") is not "succeeded" && end.Text("reason") is { Length: > 0 } why
                            ? $": {TerminalText.Printable(why.Split('\n', 2)[0])}"
                            : "";
                    context.Terminal.WriteLine(
                        arguments.IsJson ? end.Line() : $"{TerminalText.Printable(cell.Text("cellId") ?? "-")} {end.Text("state")}{reason}"
                    );
                }
            }

            JsonElement run = (await new Work(id, IsRun: true, default).WaitAsync(client, cancellationToken).ConfigureAwait(false)).Answer;
            context.Terminal.WriteLine(
                arguments.IsJson ? run.Line()
                : isSuperseded ? "A newer cascade has taken the place of what was left."
                : RunFollower.Summary(run, context.Time)
            );
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Nobody looks any more; the cascade goes on.
        }
        catch (Exception e) when (e is RefusedException or OutputClosedException)
        {
            context.Terminal.WriteError(System.Text.Encoding.UTF8.GetBytes($"holdfast: {TerminalText.Printable(e.Message)}\n"));
        }
    }
}
