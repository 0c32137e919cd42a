using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Holdfast.Engine;
using Holdfast.Server.Cli.Screen;

namespace Holdfast.Server.Cli.Client;

/// <summary>
/// Our terminal in the place of a job's: 1. every key goes to it, Ctrl-C too, in order and also while the server is away; 2. it has our
/// size, and follows its changes;
/// 3. Ctrl-] leaves, and the job goes on.
/// </summary>
internal sealed class AttachedTerminal(CliContext context, HoldfastClient client, string id)
{
    private const byte Leave = 0x1D; // Ctrl-], as telnet has it: no shell and no editor has much use for it.
    private const int PieceSize = 16 * 1024;

    /// <summary>What can be typed while the server is away; whoever types on then waits.</summary>
    private const int WaitingMax = 1024;

    /// <summary>
    /// Leaves the alternate screen, shows the cursor, ends colours, mouse reports and bracketed paste: what the program would put right
    /// itself if it had ended.
    /// </summary>
    private static readonly byte[] Tidy = "\e[?1049l\e[?25h\e[0m\e[?1000l\e[?1002l\e[?1006l\e[?2004l\r\n"u8.ToArray();

    private static readonly TimeSpan QueuedPause = TimeSpan.FromMilliseconds(200);

    // A piece of what was typed, or null for: look at our size.
    private readonly Channel<byte[]?> _work = Channel.CreateBounded<byte[]?>(new BoundedChannelOptions(WaitingMax) { SingleReader = true });
    private readonly StandardInputSender _sender = new(client, id);

    /// <summary>True once Ctrl-] was typed.</summary>
    public bool IsLeft { get; private set; }

    /// <summary>Until the token is cancelled; cancels it itself on Ctrl-].</summary>
    public async Task RunAsync(CancellationTokenSource leaving)
    {
        using IDisposable raw = context.Terminal.BeRaw();
        using IDisposable resizes = context.Terminal.OnResize(() => _ = _work.Writer.TryWrite(null));
        _ = _work.Writer.TryWrite(null);
        Task sending = SendAsync(leaving.Token);
        try
        {
            await ReadAsync(leaving.Token).ConfigureAwait(false);
            _work.Writer.Complete();
            await sending.ConfigureAwait(false); // The end of our input: what was typed before it still goes.
        }
        catch (OperationCanceledException) when (IsLeft || leaving.IsCancellationRequested)
        {
            // We leave, or the job has ended.
        }

        if (IsLeft)
        {
            await leaving.CancelAsync().ConfigureAwait(false);
            context.Terminal.Write(Tidy);
        }

        await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ReadAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[PieceSize];
        while (true)
        {
            int count = await context.Terminal.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            int leave = buffer.AsSpan(0, count).IndexOf(Leave);
            if (leave >= 0)
            {
                IsLeft = true;
                throw new OperationCanceledException();
            }

            if (count == 0)
            {
                return;
            }

            await _work.Writer.WriteAsync(buffer[..count], cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task SendAsync(CancellationToken cancellationToken)
    {
        await foreach (byte[]? piece in _work.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            while (!await TrySendAsync(piece, cancellationToken).ConfigureAwait(false))
            {
                await Task.Delay(QueuedPause, context.Time, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>False when the job has not begun yet.</summary>
    private async Task<bool> TrySendAsync(byte[]? piece, CancellationToken cancellationToken)
    {
        try
        {
            if (piece is not null)
            {
                await _sender.SendAllAsync(piece, isEnd: false, cancellationToken).ConfigureAwait(false);
            }
            else if (context.Terminal.Size is { Rows: > 0 } size)
            {
                byte[] body = Encoding.UTF8.GetBytes(
                    FormattableString.Invariant($$"""{"rows":{{size.Rows}},"columns":{{size.Columns}}}""")
                );
                _ = await client
                    .SendAsync(
                        new ApiRequest(HttpMethod.Post, $"v1/executions/{Work.Segment(id)}/resize") { Body = body, IsRepeatable = true },
                        cancellationToken
                    )
                    .ConfigureAwait(false);
            }
        }
        catch (RefusedException refusal) when (refusal.Code == ErrorCodes.IllegalTransition)
        {
            JsonElement execution = await client.GetAsync($"v1/executions/{Work.Segment(id)}", cancellationToken).ConfigureAwait(false);
            return execution.HasEnded();
        }
        catch (RefusedException refusal)
        {
            // Whether the last keys arrived may not be known. They are not typed twice; whoever sits here sees on the screen what did.
            context.Terminal.WriteErrorLine($"holdfast: {TerminalText.Printable(refusal.Message)} [{refusal.Code}]");
        }

        return true;
    }
}
