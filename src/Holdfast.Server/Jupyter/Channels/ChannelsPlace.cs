using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Engine.Kernels.Comms;
using Holdfast.Engine.Metrics;

namespace Holdfast.Server.Jupyter.Channels;

/// <summary>What a connection needs of the server around it.</summary>
internal sealed record ChannelsPlace(
    KernelId Kernel,
    KernelClients Clients,
    SendToKernel Send,
    ListComms Comms,
    FollowerTally Followers,
    int MessageBytesMax,
    TimeProvider Time,
    CancellationToken Stopping
);
