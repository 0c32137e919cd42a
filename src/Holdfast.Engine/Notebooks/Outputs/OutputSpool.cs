using Holdfast.Engine.Assets;
using Microsoft.Win32.SafeHandles;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// Bytes on their way to an asset that are not held in memory: a file without a name, which is gone with its handle, however that ends. One
/// that cannot be written any more says so, and what it was for is then not kept.
/// </summary>
internal sealed class OutputSpool(SafeFileHandle? file)
{
    public bool IsBroken { get; private set; } = file is null;

    public long Length { get; private set; }

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (IsBroken)
        {
            return;
        }

        try
        {
            RandomAccess.Write(file!, bytes, Length);
            Length += bytes.Length;
        }
        catch (IOException)
        {
            IsBroken = true; // The disk is full: the journal has it all.
        }
    }

    /// <summary>Reads what is there now, also while more comes.</summary>
    public PartsStream.Part ToPart() => new(default, file, Length);
}

/// <summary>Where spools are made, and what becomes one.</summary>
internal sealed class OutputSpools(string folder, int inlineBytesMax, TimeProvider time)
{
    private const int StreamBytesLeast = 4096;

    /// <summary>A value that is longer as JSON has no place in a notebook.</summary>
    public int InlineBytesMax { get; } = inlineBytesMax;

    /// <summary>What of a stream is held in memory; the rest is spooled.</summary>
    public int StreamBytesMax { get; } = Math.Clamp(inlineBytesMax, StreamBytesLeast, 256 * 1024 * 1024);

    public OutputSpool Open()
    {
        try
        {
            string path = Path.Combine(folder, Ulid.New(time) + ".tmp");
            SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
            File.Delete(path);
            return new OutputSpool(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new OutputSpool(null);
        }
    }
}
