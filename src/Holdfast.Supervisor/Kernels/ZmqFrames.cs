using System.Runtime.InteropServices;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Processes;

namespace Holdfast.Supervisor.Kernels;

/// <summary>
/// One received multipart, in libzmq's own memory: a stream message may be 100 MB and is never copied onto the managed heap.
/// Reused for message after message; what <see cref="this"/> gives is valid until the next receive or close.
/// </summary>
internal sealed unsafe class ZmqFrames : IDisposable
{
    // Each zmq_msg_t at an address of its own that never moves, kept for reuse.
    private nint[] _messages = new nint[16];
    private int _allocated;

    public int Count { get; private set; }

    public long Length(int index) => (long)Zmq.MessageSize(Message(index));

    public byte* Start(int index) => (byte*)Zmq.MessageData(Message(index));

    /// <summary>A frame past 2 GiB shows its first 2 GiB only; nothing that is read here is ever so long.</summary>
    public ReadOnlySpan<byte> this[int index] => new(Start(index), (int)Math.Min(Length(index), int.MaxValue));

    /// <summary>Takes the next whole message, if one is there; never waits. libzmq hands multiparts over whole or not at all.</summary>
    public bool TryReceive(nint socket)
    {
        Close();
        while (true)
        {
            ZmqMessage* message = Next();
            int received;
            do
            {
                received = Zmq.MessageReceive(message, socket, Zmq.DontWait);
            } while (received < 0 && Libc.Errno == Libc.Eintr);

            if (received < 0)
            {
                int errno = Libc.Errno;
                _ = Zmq.MessageClose(message);
                if (errno == Libc.Eagain && Count == 0)
                {
                    return false;
                }

                throw new IOException($"zmq_msg_recv failed with errno {errno}.", errno);
            }

            Count++;
            if (Zmq.MessageMore(message) == 0)
            {
                return true;
            }
        }
    }

    /// <summary>Gives the frames' memory back.</summary>
    public void Close()
    {
        for (int i = 0; i < Count; i++)
        {
            _ = Zmq.MessageClose(Message(i));
        }

        Count = 0;
    }

    public void Dispose()
    {
        Close();
        for (int i = 0; i < _allocated; i++)
        {
            NativeMemory.Free((void*)_messages[i]);
        }

        _allocated = 0;
    }

    private ZmqMessage* Message(int index) => (ZmqMessage*)_messages[index];

    private ZmqMessage* Next()
    {
        if (Count == _allocated)
        {
            if (_allocated == _messages.Length)
            {
                Array.Resize(ref _messages, _messages.Length * 2);
            }

            _messages[_allocated++] = (nint)NativeMemory.Alloc((nuint)sizeof(ZmqMessage));
        }

        ZmqMessage* message = Message(Count);
        _ = Zmq.MessageInit(message);
        return message;
    }
}
