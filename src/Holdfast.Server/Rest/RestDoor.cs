using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>The REST door's routes, by feature. Routes translate and do nothing more.</summary>
internal static class RestDoor
{
    public static void Map(IEndpointRouteBuilder routes, EngineDoor door)
    {
        HealthEndpoints.Map(routes, door);
        JobEndpoints.Map(routes, door);
        ExecutionEndpoints.Map(routes, door);
        OutputEndpoints.Map(routes, door);
        NotebookEndpoints.Map(routes, door);
        CascadeEndpoints.Map(routes, door);
        ConversionEndpoints.Map(routes, door);
        ReactiveEndpoints.Map(routes, door);
        KernelEndpoints.Map(routes, door);
        CommEndpoints.Map(routes, door);
        LockEndpoints.Map(routes, door);
        SupervisorEndpoints.Map(routes, door);
        CallbackEndpoints.Map(routes, door);
        FeedEndpoints.Map(routes, door);
        RecoveryEndpoints.Map(routes, door);
        TokenEndpoints.Map(routes, door);
        AuditEndpoints.Map(routes, door);
        StopEndpoints.Map(routes, door);
        StatisticsEndpoints.Map(routes, door);
        RetentionEndpoints.Map(routes, door);
        AssetEndpoints.Map(routes, door);
        OpenApiEndpoints.Map(routes);
    }
}
