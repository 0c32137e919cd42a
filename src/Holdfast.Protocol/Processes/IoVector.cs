using System.Runtime.InteropServices;

namespace Holdfast.Protocol.Processes;

/// <summary>C's <c>struct iovec</c>: one run of memory in a gathered write.</summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct IoVector
{
    public byte* Start;
    public nuint Length;
}
