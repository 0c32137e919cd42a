using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Reactive.Graph;

namespace Holdfast.Tests.Reactive;

/// <summary>Places come out in their order, whatever goes in between.</summary>
public sealed class PlaceQueueTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(5000)]
    [InlineData(300_000)]
    public void It_gives_what_a_sorted_set_gives(int places) =>
        Check.QuickThrowOnFailure(
            Prop.ForAll<int>(seed =>
            {
                var random = new Random(seed);
                var queue = new PlaceQueue(places);
                var model = new SortedSet<int>();
                for (int i = 0; i < 200; i++)
                {
                    if (random.Next(3) > 0)
                    {
                        int place = random.Next(places);
                        queue.Add(place);
                        model.Add(place);
                    }
                    else
                    {
                        int expected = model.Count == 0 ? -1 : model.Min;
                        model.Remove(expected);
                        Assert.Equal(expected, queue.TakeFirst());
                    }
                }
            })
        );
}
