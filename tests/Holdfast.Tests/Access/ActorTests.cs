using Holdfast.Engine;

namespace Holdfast.Tests.Access;

public sealed class ActorTests
{
    [Fact]
    public async Task The_operation_that_was_asked_for_says_what_is_done_not_those_that_it_calls()
    {
        Actor actor = await AsAsync(static () =>
        {
            Actor.Does("RestartKernel", "k");
            Actor.Does("StopKernel", "k", "for the restart");
        });

        Assert.Equal((new Deed("RestartKernel", "k", null), false), (actor.Deed, actor.IsRecorded));
    }

    [Fact]
    public async Task Who_only_looked_has_done_nothing_that_is_to_be_recorded()
    {
        Actor actor = await AsAsync(static () => Actor.Does(null, "n.ipynb"));

        Assert.Equal((null, true), (actor.Deed, actor.IsRecorded));
    }

    [Fact]
    public void The_server_by_itself_is_nobody() => Actor.Does("ApplyRetention", "retention");

    /// <summary>On another thread, as operations are, and with nothing left behind in the flow of the test.</summary>
    private static async Task<Actor> AsAsync(Action operation)
    {
        var actor = new Actor("main", "main", "127.0.0.1");
        Actor.Current = actor;
        await Task.Run(operation);
        Actor.Current = null;
        return actor;
    }
}
