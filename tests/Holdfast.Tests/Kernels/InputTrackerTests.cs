using Holdfast.Engine.Executions;
using Holdfast.Engine.Kernels;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Tests.Fakes;

namespace Holdfast.Tests.Kernels;

public sealed class InputTrackerTests
{
    private static readonly ExecutionId Execution = new("01kcq8v6t0e9m3n5p7r9s1v3x5");
    private readonly InputTracker _tracker = new();

    [Fact]
    public void An_input_request_is_pending_with_all_that_a_late_client_needs()
    {
        Take(Asked("cell"));
        PendingInput pending = _tracker.Pending!;
        Assert.Equal(
            ("cell", "Name? ", true, 5000L, Execution, 5000L),
            (pending.RequestId, pending.Prompt, pending.IsPassword, pending.Since, pending.ExecutionId, pending.Position)
        );
        Assert.Equal("input_request", JupyterMessage.TryParse(pending.Multipart)!.MessageType);
        Assert.Equal("ask", JupyterHeader.Read(pending.HeaderJson.Span).MessageId);
    }

    [Fact]
    public void Somebodys_answer_ends_it()
    {
        Take(Asked("cell"));
        Take(KernelMessages.Of(JournalChannel.StdinReply, "input_reply", "answer", "ask", """{"value":"Ada"}""", 6));
        Assert.Null(_tracker.Pending);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_end_of_the_request_that_asked_ends_it_and_no_other_does(bool byReply)
    {
        Take(Asked("cell"));
        Take(KernelMessages.Reply("another", 6));
        Take(KernelMessages.Status("another", "idle", 7));
        Take(KernelMessages.Status("cell", "busy", 8));
        Assert.NotNull(_tracker.Pending);
        Take(byReply ? KernelMessages.Error("cell", 9, "KeyboardInterrupt") : KernelMessages.Status("cell", "idle", 9));
        Assert.Null(_tracker.Pending);
    }

    private static KernelMessage Asked(string parent) =>
        KernelMessages.Of(JournalChannel.Stdin, "input_request", "ask", parent, """{"prompt":"Name? ","password":true}""", 5000);

    private void Take(in KernelMessage message) => _tracker.Take(message, static id => id == "cell" ? Execution : null);
}
