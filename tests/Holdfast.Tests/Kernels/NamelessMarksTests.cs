using Holdfast.Engine.Kernels;
using Holdfast.Engine.Kernels.Clients;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Kernels;

public sealed class NamelessMarksTests : IDisposable
{
    private static readonly KernelId Kernel = KernelId.Parse("01a1fed9-a43e-771a-a982-9b86ea319db6");
    private readonly string _folder = Directory.CreateTempSubdirectory("holdfast-").FullName;
    private readonly FakeClock _time = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Who_comes_after_a_loss_goes_on_in_the_place_of_the_one_that_was_lost_first()
    {
        var marks = new NamelessMarks(_folder, _time);
        string first = Take(marks),
            second = Take(marks);
        Assert.NotEqual(first, second);
        marks.Leave(second, isForGood: false);
        _time.Turn(TimeSpan.FromSeconds(1));
        marks.Leave(first, isForGood: false);

        (string path, IReadOnlyList<string> others) = marks.Take(Kernel);
        Assert.Equal(second, path);
        Assert.Equal([first], others);
        Assert.Equal(first, Take(marks));
        Assert.DoesNotContain(Take(marks), (string[])[first, second]);
    }

    [Fact]
    public void Nobody_goes_on_for_one_who_said_goodbye()
    {
        var marks = new NamelessMarks(_folder, _time);
        string path = Take(marks);
        marks.Leave(path, isForGood: true);
        Assert.False(File.Exists(path));
        Assert.NotEqual(path, Take(marks));
    }

    [Fact]
    public void The_next_server_waits_for_those_that_the_last_one_had()
    {
        string path = Take(new NamelessMarks(_folder, _time));
        _time.Turn(TimeSpan.FromDays(1));
        Assert.Equal(path, Take(new NamelessMarks(_folder, _time)));
    }

    [Fact]
    public void Nobody_is_waited_for_longer_than_a_gateway_tries()
    {
        var marks = new NamelessMarks(_folder, _time);
        string path = Take(marks);
        marks.Leave(path, isForGood: false);
        _time.Turn(TimeSpan.FromMinutes(3));
        Assert.NotEqual(path, Take(marks));
        Assert.False(File.Exists(path));
    }

    /// <summary>Its connection makes the file.</summary>
    private static string Take(NamelessMarks marks)
    {
        string path = marks.Take(Kernel).Path;
        SessionMark.Open(path).Dispose();
        return path;
    }
}
