using Holdfast.Server.Hosting;
using Holdfast.Server.Jupyter.Channels;
using Holdfast.Server.Jupyter.Contents;
using Holdfast.Server.Jupyter.Conversion;
using Holdfast.Server.Jupyter.Events;
using Holdfast.Server.Jupyter.Kernels;
using Holdfast.Server.Jupyter.Lab;
using Holdfast.Server.Jupyter.Login;
using Holdfast.Server.Jupyter.Preferences;
using Holdfast.Server.Jupyter.Sessions;
using Holdfast.Server.Jupyter.Specs;
using Holdfast.Server.Jupyter.Status;
using Holdfast.Server.Jupyter.Terminals;

namespace Holdfast.Server.Jupyter;

/// <summary>The Jupyter door's routes, by feature: what unmodified Jupyter clients ask for. Routes translate and do nothing more.</summary>
internal static class JupyterDoor
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        LoginEndpoints.Map(routes);
        StatusEndpoints.Map(routes, door);
        MeEndpoints.Map(routes);
        SpecEndpoints.Map(routes);
        KernelEndpoints.Map(routes, door);
        TerminalEndpoints.Map(routes, door);
        ContentsEndpoints.Map(routes, door);
        FileEndpoints.Map(routes, door);
        SessionEndpoints.Map(routes, door);
        ConfigEndpoints.Map(routes, door);
        LabSettingEndpoints.Map(routes, door);
        LabPageEndpoints.Map(routes, door);
        LabTranslationEndpoints.Map(routes);
        LabWorkspaceEndpoints.Map(routes, door);
        EventEndpoints.Map(routes, door);
        ConversionEndpoints.Map(routes, door);
        ChannelsEndpoints.Map(routes, door);
    }
}
