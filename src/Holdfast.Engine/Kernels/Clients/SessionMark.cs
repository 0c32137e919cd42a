using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Text;

namespace Holdfast.Engine.Kernels.Clients;

/// <summary>
/// Where a session stands: everything before <paramref name="Position"/> of that incarnation's journal has been handed to the client.
/// </summary>
/// <param name="SentBytes">How many bytes the connection had been handed by then, counted from its beginning.</param>
/// <param name="IsEndTold">The client was told that the incarnation is over and another will follow.</param>
public readonly record struct SessionPlace(string Attempt, long Position, long SentBytes, bool IsEndTold = false);

/// <summary>
/// A session's place in a small file that is mapped into memory. To set it is a few stores: no call, no sync. The page belongs to the
/// operating system, so a server that is killed has said everything it had set; only a machine that loses its power forgets the last of it.
/// </summary>
/// <remarks>
/// Two slots of 128 bytes after a head of 64; the number in the head, the last to be written, says which holds: a death at any instruction
/// leaves one whole place. Slot: <c>i64 position | i64 sent bytes | u32 length, its top bit set when the end was told | attempt id</c>.
/// Then eight names of 64 bytes, each with its length before it. See docs/spec/jupyter-profile.md.
/// </remarks>
public sealed unsafe class SessionMark : IDisposable
{
    public const int FileBytes = NamesAt + (NamesMax * NameBytes);
    private const int UsedAt = 16;
    private const int SlotsAt = 64;
    private const int SlotBytes = 128;
    private const int NamesAt = SlotsAt + (2 * SlotBytes);
    private const int NamesMax = 8;
    private const int NameBytes = 64;
    private const int AttemptAt = 20;
    private const int AttemptBytesMax = SlotBytes - AttemptAt;
    private const int EndToldBit = int.MinValue;
    private static readonly byte[] Magic = "HFMARK1\n"u8.ToArray();

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private long* Turn => (long*)(_start + 8);

    private SessionMark(MemoryMappedFile file)
    {
        _file = file;
        _view = file.CreateViewAccessor(0, FileBytes);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>Opens the mark, or makes an empty one. Whoever owns the session has it open; nobody else does.</summary>
    public static SessionMark Open(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream stream = new(
            path,
            new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.ReadWrite,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }
        );
        if (stream.Length < FileBytes)
        {
            stream.SetLength(FileBytes);
        }

        // Stores into a mapping need not move the file's time, by which the oldest are thrown away.
        RandomAccess.Write(stream.SafeFileHandle, [1], UsedAt);
        return new SessionMark(
            MemoryMappedFile.CreateFromFile(
                stream,
                null,
                FileBytes,
                MemoryMappedFileAccess.ReadWrite,
                HandleInheritability.None,
                leaveOpen: false
            )
        );
    }

    /// <summary>What was set last, by whichever server; null when nothing was.</summary>
    public SessionPlace? Read()
    {
        if (!new ReadOnlySpan<byte>(_start, Magic.Length).SequenceEqual(Magic))
        {
            return null;
        }

        byte* slot = Slot(*Turn);
        var bytes = new ReadOnlySpan<byte>(slot, SlotBytes);
        int word = BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]);
        int length = word & ~EndToldBit;
        return length is > 0 and <= AttemptBytesMax
            ? new SessionPlace(
                Encoding.ASCII.GetString(bytes.Slice(AttemptAt, length)),
                BinaryPrimitives.ReadInt64LittleEndian(bytes),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[8..]),
                word < 0
            )
            : null;
    }

    public void Set(in SessionPlace place)
    {
        long turn = *Turn + 1;
        byte* slot = Slot(turn);
        *(long*)slot = place.Position;
        *(long*)(slot + 8) = place.SentBytes;
        *(int*)(slot + 16) =
            Encoding.ASCII.GetBytes(place.Attempt, new Span<byte>(slot + AttemptAt, AttemptBytesMax)) | (place.IsEndTold ? EndToldBit : 0);
        Magic.CopyTo(new Span<byte>(_start, Magic.Length));
        Volatile.Write(ref *Turn, turn); // The compiler may not move it before what it points at; a death in between leaves the other slot.
    }

    /// <summary>The sessions in whose name the client has sent requests: replies to them are its own, also after a restart.</summary>
    public List<byte[]> ReadNames()
    {
        var names = new List<byte[]>();
        for (int i = 0; i < NamesMax && _start[NamesAt + (i * NameBytes)] is > 0 and < NameBytes and var length; i++)
        {
            names.Add(new ReadOnlySpan<byte>(_start + NamesAt + (i * NameBytes) + 1, length).ToArray());
        }

        return names;
    }

    /// <summary>Keeps one more name, while there is room for it.</summary>
    public void AddName(ReadOnlySpan<byte> name)
    {
        int count = ReadNames().Count;
        if (count < NamesMax && name.Length is > 0 and < NameBytes)
        {
            byte* place = _start + NamesAt + (count * NameBytes);
            name.CopyTo(new Span<byte>(place + 1, NameBytes - 1));
            Volatile.Write(ref *place, (byte)name.Length);
        }
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private byte* Slot(long turn) => _start + SlotsAt + ((turn & 1) * SlotBytes);
}
