using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Clients;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>What a connection needs of the server around it.</summary>
internal sealed record ChannelsPlace(
    KernelId Kernel, KernelClients Clients, SendToKernel Send, int MessageBytesMax, TimeProvider Time, CancellationToken Stopping);
