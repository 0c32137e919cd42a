using Holdfast.Supervisor.Kernels;

namespace Holdfast.Tests.Kernels;

public sealed class InterruptTargetsTests
{
    private readonly InterruptTargets _targets = new();

    [Fact]
    public void What_the_kernel_is_at_is_interrupted_at_once_and_what_is_to_come_when_its_turn_is()
    {
        Assert.False(_targets.NoteBusy("a"u8, 0));
        Assert.True(_targets.Want("a"u8));
        Assert.False(_targets.Want("b"u8));
        _targets.NoteEnd("a"u8);
        Assert.True(_targets.NoteBusy("b"u8, 0));
        Assert.False(_targets.NoteBusy("b"u8, 0));
    }

    [Fact]
    public void The_interrupt_of_a_cell_that_is_over_hits_no_other()
    {
        _targets.NoteBusy("a"u8, 0);
        _targets.NoteEnd("a"u8);
        Assert.False(_targets.Want("a"u8));
        Assert.False(_targets.NoteBusy("b"u8, 0));
    }

    [Fact]
    public void Requests_that_never_come_are_forgotten_in_the_end()
    {
        _targets.Want("first"u8);
        for (int i = 0; i < InterruptTargets.WantedMax; i++)
        {
            _targets.Want(System.Text.Encoding.UTF8.GetBytes($"{i}"));
        }

        Assert.False(_targets.NoteBusy("first"u8, 0));
        Assert.True(_targets.NoteBusy("1"u8, 0));
    }
}
