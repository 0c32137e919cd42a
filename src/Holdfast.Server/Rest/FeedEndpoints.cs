using System.Globalization;
using Holdfast.Engine.Feed;
using Holdfast.Engine.Metrics;
using Holdfast.Server.Hosting;

namespace Holdfast.Server.Rest;

/// <summary>GET /v1/feed: every change of state, in order, from a position on, as server-sent events. The id is the position.</summary>
internal static class FeedEndpoints
{
    private const int PageSize = 500;

    public static void Map(IEndpointRouteBuilder routes, EngineDoor door) =>
        routes.MapGet("/v1/feed", (RequestDelegate)(context => FollowAsync(context, door)));

    private static async Task FollowAsync(HttpContext context, EngineDoor door)
    {
        FeedLog feed = door.Engine.Feed;
        string? subject = RestQuery.Text(context, "subject");
        long position =
            EventStream.LastEventId(context)
            ?? (
                RestQuery.Text(context, "after") == "latest" ? feed.LastPosition : RestQuery.Number(context, "after", 0, long.MaxValue) ?? 0
            );
        var events = new EventStream(context, door.Stopping);
        await events.BeginAsync();
        if (position > 0 && feed.FirstPosition is var first && first > position + 1)
        {
            // What a follower was away for too long to hear is named, not passed over.
            await events.WriteAsync(
                (first - 1).ToString(CultureInfo.InvariantCulture),
                "gap",
                $$"""{"from":{{position + 1}},"to":{{first - 1}}}"""
            );
            position = first - 1;
        }

        using IDisposable following = door.Engine.Meters.Followers.Enter(FollowerTally.Feed, () => feed.LastPosition - position);
        while (true)
        {
            Task growth = feed.Growth;
            IReadOnlyList<FeedEvent> page = feed.ReadAfter(position, subject, PageSize);
            foreach (FeedEvent one in page)
            {
                await events.WriteAsync(one.Position.ToString(CultureInfo.InvariantCulture), one.Kind, one.Body);
                position = one.Position;
            }

            if (page.Count < PageSize)
            {
                await events.WaitAsync(growth);
            }
        }
    }
}
