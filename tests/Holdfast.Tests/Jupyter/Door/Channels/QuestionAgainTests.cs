using Holdfast.Engine.Kernels;
using Holdfast.Server.Jupyter.Channels;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Jupyter.Door.Channels;

public sealed class QuestionAgainTests
{
    private static readonly PendingInput Question = new(default, "cell", "Name? ", false, 0, null) { Position = 7 };
    private readonly FakeClock _clock = new();
    private readonly List<PendingInput> _offered = [];
    private PendingInput? _current = Question;

    [Theory]
    [InlineData("kernel_info_request")]
    [InlineData("input_reply")]
    public void A_library_that_knows_the_question_is_not_asked_twice(string first)
    {
        using QuestionAgain again = Ask();
        again.Hear(System.Text.Encoding.ASCII.GetBytes(first));
        again.Hear("comm_info_request"u8);
        _clock.Turn(TimeSpan.FromMinutes(1));
        Assert.Empty(_offered);
    }

    [Fact]
    public void A_client_that_begins_with_something_else_is_asked_again_once()
    {
        using QuestionAgain again = Ask();
        again.Hear("execute_request"u8);
        again.Hear("execute_request"u8);
        _clock.Turn(TimeSpan.FromMinutes(1));
        Assert.Equal([Question], _offered);
    }

    [Fact]
    public void A_client_that_says_nothing_is_asked_again()
    {
        using QuestionAgain again = Ask();
        _clock.Turn(TimeSpan.FromSeconds(2));
        Assert.Equal([Question], _offered);
    }

    [Fact]
    public void What_was_answered_meanwhile_is_not_asked_again()
    {
        using QuestionAgain again = Ask();
        _current = null;
        _clock.Turn(TimeSpan.FromSeconds(2));
        Assert.Empty(_offered);
    }

    [Fact]
    public void A_later_question_is_not_this_one()
    {
        using QuestionAgain again = Ask();
        _current = Question with { Position = 9 };
        again.Hear("execute_request"u8);
        Assert.Empty(_offered);
    }

    private QuestionAgain Ask() => new(Question, () => _current, _offered.Add, _clock);
}
