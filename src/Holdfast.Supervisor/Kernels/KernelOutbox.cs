using Holdfast.Protocol;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Processes;
using Holdfast.Supervisor.Attempts;
using Holdfast.Supervisor.Loop;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// Signs, journals and sends, in this order: a request without a trace in the journal was never sent. Only control messages do not wait for
/// a full disk, since with them one interrupts and stops what is filling it.
/// </summary>
internal sealed unsafe class KernelOutbox(PollLoop loop, KernelSockets sockets, JupyterSigner signer, AttemptJournal journal)
{
    private static readonly byte[] Secret = "{\"value\":\"\",\"holdfast_secret\":true}"u8.ToArray();

    /// <summary>Sends a message of unsigned frames on shell, control or stdin.</summary>
    /// <param name="isSecret">The content is kept out of the journal, and with it the signature, by which it could be guessed.</param>
    /// <param name="sent">Called when it is in libzmq's hands, which may be later, when the journal has room.</param>
    public void Send(KernelChannel channel, ReadOnlyMemory<byte> unsigned, bool isSecret = false, LoopCallback? sent = null)
    {
        ReadOnlyMemory<byte>[] signed = Sign(unsigned);
        byte[] journalled = isSecret ? WithoutContent(signed) : Multipart.Encode(signed);
        if (channel == KernelChannel.Control && journal.IsStalled)
        {
            Put(Socket(channel), signed);
            journal.Append(JournalChannel.ControlRequest, journalled, loop.UnixNanoseconds);
            sent?.Invoke();
            return;
        }

        journal.Append(JournalOf(channel), journalled, loop.UnixNanoseconds);
        journal.Steps.Do(() =>
        {
            CrashPoints.Reach(CrashPoint.SupervisorRequestJournalled);
            Put(Socket(channel), signed);
            sent?.Invoke();
        });
    }

    /// <summary>Journals a message that nobody is sent, as if it had come.</summary>
    public void Record(JournalChannel channel, ReadOnlyMemory<byte> unsigned) =>
        journal.Append(channel, Multipart.Encode(Sign(unsigned)), loop.UnixNanoseconds);

    private ReadOnlyMemory<byte>[] Sign(ReadOnlyMemory<byte> unsigned)
    {
        if (!Multipart.TryDecode(unsigned, out ReadOnlyMemory<byte>[] frames) || frames.Length < 4)
        {
            throw new ArgumentException("Not a multipart of header, parent, metadata and content.", nameof(unsigned));
        }

        byte[] signature = new byte[signer.IsSigning ? JupyterSigner.SignatureLength : 0];
        _ = signer.Sign(frames[0].Span, frames[1].Span, frames[2].Span, frames[3].Span, signature);
        var signed = new ReadOnlyMemory<byte>[frames.Length + 2];
        signed[0] = JupyterMessage.Delimiter.ToArray();
        signed[1] = signature;
        frames.CopyTo(signed, 2);
        return signed;
    }

    private static JournalChannel JournalOf(KernelChannel channel) =>
        channel switch
        {
            KernelChannel.Shell => JournalChannel.ShellRequest,
            KernelChannel.Control => JournalChannel.ControlRequest,
            _ => JournalChannel.StdinReply,
        };

    private static byte[] WithoutContent(ReadOnlyMemory<byte>[] signed)
    {
        var shown = (ReadOnlyMemory<byte>[])signed.Clone();
        shown[1] = default;
        shown[5] = Secret;
        return Multipart.Encode(shown);
    }

    private void Put(nint socket, ReadOnlyMemory<byte>[] frames)
    {
        loop.NoteUse(socket);
        for (int i = 0; i < frames.Length; i++)
        {
            int flags = Zmq.DontWait | (i < frames.Length - 1 ? Zmq.SendMore : 0);
            fixed (byte* start = frames[i].Span)
            {
                while (Zmq.Send(socket, start, (nuint)frames[i].Length, flags) < 0)
                {
                    // There is no limit on these queues, so there is nothing to wait for but an interrupted call.
                    if (Libc.Errno != Libc.Eintr)
                    {
                        throw new InvalidOperationException($"zmq_send failed with errno {Libc.Errno}.");
                    }
                }
            }
        }
    }

    private nint Socket(KernelChannel channel) =>
        channel switch
        {
            KernelChannel.Shell => sockets.Shell,
            KernelChannel.Control => sockets.Control,
            _ => sockets.Stdin,
        };
}
