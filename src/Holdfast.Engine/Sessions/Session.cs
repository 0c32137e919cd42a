using Holdfast.Engine.Kernels;

namespace Holdfast.Engine.Sessions;

/// <summary>
/// A document and the kernel that it uses, as Jupyter means it. The path is what the client calls the document, and need not be a file.
/// </summary>
public sealed record Session(SessionId Id, string Path, string Name, string Type, KernelId KernelId, long CreatedAt)
{
    /// <summary>The kernel that it had before, while that is still to be stopped.</summary>
    public KernelId? LeftKernelId { get; init; }

    /// <summary>The notebook's own file, links followed, while the session is being changed. Not stored with the session.</summary>
    internal string? File { get; init; }
}

/// <summary>A session with its kernel as it is now.</summary>
public sealed record SessionView(Session Session, KernelView Kernel);

/// <summary>What session somebody wants. Of the kernel's id and its kernelspec's name the id counts, if there is such a kernel.</summary>
public sealed record StartSessionRequest(string Path, string Type)
{
    /// <summary>Default: the last part of the path.</summary>
    public string? Name { get; init; }

    public KernelId? KernelId { get; init; }
    public string? SpecName { get; init; }
}

/// <summary>What is to be different about a session; null leaves a thing as it is.</summary>
public sealed record SessionChange
{
    public string? Path { get; init; }
    public string? Name { get; init; }
    public string? Type { get; init; }

    /// <summary>Another kernel that is there.</summary>
    public KernelId? KernelId { get; init; }

    /// <summary>A new kernel of this kernelspec; counts only without <see cref="KernelId"/>.</summary>
    public string? SpecName { get; init; }
}
