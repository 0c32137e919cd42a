using Holdfast.Protocol.Attempts;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Kernels;

/// <summary>Kernels that misbehave, each in one way, under the real supervisor.</summary>
public class ScriptedKernelTests
{
    [Theory]
    [InlineData("exit 3", 3, 0)]
    [InlineData("segv", null, 11)]
    [InlineData("die-mid-reply", null, 9)]
    public void A_death_is_told_with_its_cause_and_what_was_said_before(string command, int? exitCode, int signal)
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string cell = kernel.Execute("print before\nstderr last words\ninput die?\nsleep 0.5\n" + command);
        string waiting = kernel.Execute("print never");
        kernel.WaitForTape(() => kernel.Of(JournalChannel.Stdin, cell).Any());
        kernel.Input("yes");

        LinkMessage exited = kernel.WaitForExit();
        kernel.Tape.Read();

        Assert.Equal(exitCode, exited.ExitCode);
        Assert.Equal(signal, exited.Signal);
        Assert.StartsWith("before\n", kernel.Stream(cell), StringComparison.Ordinal);
        Assert.Equal("last words\n", kernel.Tape.Text(JournalChannel.Stderr));
        Assert.Null(kernel.Reply(cell));
        Assert.Contains(kernel.Tape.Events, e => e.Event == AttemptEvent.Skipped && e.MessageId == waiting);
        Assert.Equal(AttemptEvent.ExitEvent, kernel.Tape.Events.Last().Event);
    }

    [Fact]
    public void A_kernel_that_dies_at_its_start_shows_its_last_words()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted("die-at-start");

        LinkMessage exited = kernel.WaitForExit();
        kernel.Tape.Read();

        Assert.Equal(3, exited.ExitCode);
        Assert.Contains("no module named nonsense", exited.Reason, StringComparison.Ordinal);
        Assert.Equal("no module named nonsense\n", kernel.Tape.Text(JournalChannel.Stderr));
    }

    [Fact]
    public void A_kernel_that_does_not_answer_in_time_is_ended()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted("never-ready", startTimeoutMs: 1000);

        LinkMessage exited = kernel.WaitForExit();

        Assert.Equal(ExitCause.StartTimedOut, exited.Cause);
        Assert.Contains("1000 ms", exited.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_slow_start_is_waited_for_and_cells_queued_meanwhile_run()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted("slow-start 1.5");

        Assert.Equal("ok", kernel.Run("print early"));
        Assert.Equal("early\n", kernel.Stream("cell-1"));
    }

    [Fact]
    public void A_reply_without_its_idle_leaves_a_gap_behind_and_the_queue_goes_on()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string cell = kernel.Execute("never-idle");
        Assert.Equal("ok", kernel.Run("print next"));

        AttemptEvent gap = Assert.Single(kernel.Tape.Events, static e => e.Event == AttemptEvent.Gap);
        Assert.Equal(cell, gap.MessageId);
        Assert.Equal("iopub", gap.Channel);
    }

    [Fact]
    public void An_idle_without_its_reply_is_waited_for()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string cell = kernel.Execute("no-reply");
        string waiting = kernel.Execute("print next");
        kernel.WaitForTape(() => kernel.HasIdle(cell));
        Assert.Equal(0, Libc.Kill(kernel.KernelPid, Libc.SigTerm));
        kernel.WaitForExit();
        kernel.Tape.Read();

        Assert.DoesNotContain(kernel.Tape.Entries, e => e.Channel == JournalChannel.ShellRequest && e.Message!.MessageId == waiting);
    }

    [Fact]
    public void Late_output_after_the_idle_is_kept_and_an_idle_before_the_reply_is_right()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        Assert.Equal("ok", kernel.Run("idle-first\nlate afterwards"));
        Assert.Equal("ok", kernel.Run("print next"));

        Assert.Equal("afterwards", kernel.Stream("cell-1"));
        Assert.DoesNotContain(kernel.Tape.Events, static e => e.Event == AttemptEvent.Gap);
    }

    [Fact]
    public void What_is_not_signed_with_the_kernels_key_is_an_event_and_no_message()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        Assert.Equal("ok", kernel.Run("bad-signature\nno-delimiter\nbad-reply\nprint true"));

        Assert.Equal("true\n", kernel.Stream("cell-1"));
        Assert.Equal(
            ["iopub", "iopub", "shell"],
            kernel.Tape.Events.Where(static e => e.Event == AttemptEvent.BadSignature).Select(static e => e.Channel).Order()
        );
    }

    [Fact]
    public void The_greeting_of_a_new_kernel_is_no_output()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted("welcome").WaitUntilReady();

        Assert.Equal("ok", kernel.Run("print hello"));
        Assert.DoesNotContain(
            kernel.Tape.Entries,
            static e => e.Channel == JournalChannel.IoPub && e.Message!.MessageType == "iopub_welcome"
        );
    }

    [Fact]
    public void A_full_disk_delays_what_a_kernel_says_and_loses_nothing()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted(isOnSmallDisk: true).WaitUntilReady();

        string cell = kernel.Execute("big 700000\ndisplay 2000\nbig 400000\nprint done");
        string next = kernel.Execute("print next");
        kernel.Link.WaitFor(LinkMessageType.Stalled);
        Assert.Equal(LinkMessageType.Done, kernel.Link.Send(new LinkMessage { Type = LinkMessageType.Ping }).Type);
        File.Delete(Path.Combine(kernel.Files.Directory, "filler"));
        kernel.Link.WaitFor(LinkMessageType.Unstalled);

        Assert.Equal("ok", kernel.WaitForOutcome(cell));
        Assert.Equal("ok", kernel.WaitForOutcome(next));
        Assert.Equal(1_100_000 + "done\n".Length, kernel.Stream(cell).Length);
        Assert.Equal(
            Enumerable.Range(0, 2000).Select(static i => i.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            kernel.Of(JournalChannel.IoPub, cell).Where(static m => m.MessageType == "display_data").Select(TextOf)
        );
        Assert.Contains(kernel.Tape.Events, static e => e.Event == AttemptEvent.Stalled);

        static string TextOf(JupyterMessage message)
        {
            using var content = System.Text.Json.JsonDocument.Parse(message.Content);
            return content.RootElement.GetProperty("data").GetProperty("text/plain").GetString()!;
        }
    }

    [Fact]
    public void A_kernel_can_be_interrupted_and_stopped_while_the_disk_is_full()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted(isOnSmallDisk: true).WaitUntilReady();

        kernel.Execute("big 3000000\nsleep 1000");
        kernel.Link.WaitFor(LinkMessageType.Stalled);
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt });
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Stop, Cause = "cancelled" });
        kernel.WaitUntilGone();
        Assert.False(File.Exists(kernel.Files.Exit));
        File.Delete(Path.Combine(kernel.Files.Directory, "filler"));

        Assert.Equal("cancelled", kernel.WaitForExit().Cause);
        Assert.True(File.Exists(kernel.Files.Exit));
    }

    [Fact]
    public void An_error_drops_the_rest_of_its_group_and_nothing_else()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string first = kernel.Execute("sleep 0.3\nerror Broken", "run-1", stopOnError: true);
        string second = kernel.Execute("print second", "run-1", stopOnError: true);
        string other = kernel.Execute("print other", "run-2", stopOnError: true);
        Assert.Equal("ok", kernel.WaitForOutcome(other));
        string late = kernel.Execute("print late", "run-1", stopOnError: true);
        string again = kernel.Execute("print again", "run-1", position: long.MaxValue);
        Assert.Equal("ok", kernel.WaitForOutcome(again));

        Assert.Equal("error", kernel.Reply(first)!.ReplyStatus);
        Assert.Equal([second, late], kernel.Tape.Events.Where(static e => e.Event == AttemptEvent.Skipped).Select(static e => e.MessageId));
        Assert.Null(kernel.Reply(second));
    }

    [Fact]
    public void Requests_are_taken_out_of_the_queue_by_id_and_by_group()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string running = kernel.Execute("input go on?");
        string one = kernel.Execute("print one");
        string two = kernel.Execute("print two", "g");
        string three = kernel.Execute("print three", "g");
        string four = kernel.Execute("print four");
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Dequeue, MessageId = one });
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Dequeue, Group = "g" });
        kernel.WaitForTape(() => kernel.Of(JournalChannel.Stdin, running).Any());
        kernel.Input("yes");

        Assert.Equal("ok", kernel.WaitForOutcome(running));
        Assert.Equal("ok", kernel.WaitForOutcome(four));
        Assert.Equal(
            [one, two, three],
            kernel.Tape.Events.Where(static e => e.Event == AttemptEvent.Skipped).Select(static e => e.MessageId)
        );
    }

    [Fact]
    public void A_password_reaches_the_kernel_and_not_the_disk()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();
        const string password = "correct-horse-battery";

        string cell = kernel.Execute("password secret?");
        kernel.WaitForTape(() => kernel.Of(JournalChannel.Stdin, cell).Any());
        kernel.Input(password);
        Assert.Equal("ok", kernel.WaitForOutcome(cell));

        Assert.Equal($"got {password.Length} characters\n", kernel.Stream(cell));
        Assert.Equal(1, kernel.Tape.Entries.Count(static e => e.Channel == JournalChannel.StdinReply));
        foreach (string file in Directory.GetFiles(kernel.Files.Journal))
        {
            Assert.True(File.ReadAllBytes(file).AsSpan().IndexOf(System.Text.Encoding.UTF8.GetBytes(password)) < 0);
        }
    }

    [Fact]
    public void A_question_asked_at_once_is_not_lost_when_the_kernel_opens_its_stdin_late()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted("late-stdin").WaitUntilReady();

        string cell = kernel.Execute("input name?");
        kernel.WaitForTape(() => kernel.Of(JournalChannel.Stdin, cell).Any());
        kernel.Input("Ada");

        Assert.Equal("ok", kernel.WaitForOutcome(cell));
    }

    [Fact]
    public void A_kernel_without_a_stdin_socket_becomes_ready_all_the_same()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted("no-stdin").WaitUntilReady();

        Assert.Equal("ok", kernel.Run("print hello"));
    }

    [Fact]
    public void An_interrupt_takes_back_the_question_for_input()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string cell = kernel.Execute("input name?");
        kernel.WaitForTape(() => kernel.Of(JournalChannel.Stdin, cell).Any());
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt });
        Assert.Equal("error", kernel.WaitForOutcome(cell));

        Assert.Equal(LinkCodes.InputNotRequested, kernel.Input("too late").Code);
    }

    [Fact]
    public void An_interrupt_that_a_request_did_not_hear_in_its_first_moment_is_given_again_to_it_alone()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string first = kernel.Execute("sleep 0.2");
        string deaf = kernel.Execute("deaf 2\nsleep 1000");
        string next = kernel.Execute("sleep 0.5\nprint whole");
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt, MessageId = deaf });

        Assert.Equal("ok", kernel.WaitForOutcome(first));
        Assert.Equal("error", kernel.WaitForOutcome(deaf));
        Assert.Equal("caught\ncaught\n", kernel.Stream(deaf));
        Assert.Equal("ok", kernel.WaitForOutcome(next));
    }

    [Fact]
    public void An_interrupt_that_names_nothing_is_given_again_to_what_was_sent_just_now()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string deaf = kernel.Execute("deaf 2\nsleep 1000");
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt });

        Assert.Equal("error", kernel.WaitForOutcome(deaf));
        Assert.Equal("caught\ncaught\n", kernel.Stream(deaf));
        Assert.Equal("ok", kernel.Run("sleep 0.5\nprint whole"));
    }

    [Fact]
    public void An_interrupt_that_names_nothing_is_for_what_the_kernel_is_at_and_not_for_what_waits_in_it()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        kernel.Link.Send(
            new LinkMessage
            {
                Type = LinkMessageType.Send,
                Channel = "shell",
                Body = kernel.ExecuteRequest("client", "print on\nsleep 1000").Body,
            }
        );
        kernel.WaitForTape(() => kernel.Stream("client") == "on\n");
        string waiting = kernel.Execute("print whole");
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt });

        Assert.Equal("ok", kernel.WaitForOutcome(waiting));
        Assert.Equal("whole\n", kernel.Stream(waiting));
    }

    [Fact]
    public void An_interrupt_that_a_cell_catches_later_on_purpose_is_given_once()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string cell = kernel.Execute("sleep 2\ndeaf 1 on\nsleep 0.7\nprint saved");
        kernel.WaitForTape(() => kernel.Stream(cell) == "on\n");
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt, MessageId = cell });

        Assert.Equal("ok", kernel.WaitForOutcome(cell));
        Assert.Equal("on\ncaught\nsaved\n", kernel.Stream(cell));
    }

    [Fact]
    public void A_reply_that_an_interrupt_swallowed_is_made_in_the_kernels_place_and_the_queue_goes_on()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string cell = kernel.Execute("no-reply\nsleep 1000");
        kernel.WaitForTape(() => kernel.Of(JournalChannel.IoPub, cell).Any());
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt, MessageId = cell });
        Assert.Equal("error", kernel.WaitForOutcome(cell));
        Assert.Equal("ok", kernel.Run("print next"));

        AttemptEvent gap = Assert.Single(kernel.Tape.Events, static e => e.Event == AttemptEvent.Gap);
        Assert.Equal((cell, "shell"), (gap.MessageId, gap.Channel));
        Assert.Equal("KeyboardInterrupt", JupyterJson.GetText(kernel.Reply(cell)!.Content.Span, "ename"u8));
    }

    [Fact]
    public void A_stopped_process_is_told_from_a_dead_one_by_its_heartbeat()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        string cell = kernel.Execute("stop\nprint awake");
        Assert.False(kernel.Link.WaitFor(LinkMessageType.Heartbeat).Alive);
        Assert.Equal(0, Libc.Kill(kernel.KernelPid, Libc.SigCont));
        Assert.True(kernel.Link.WaitFor(LinkMessageType.Heartbeat).Alive);

        Assert.Equal("ok", kernel.WaitForOutcome(cell));
        Assert.Equal(
            [false, true],
            kernel.Tape.Events.Where(static e => e.Event == AttemptEvent.Heartbeat).Select(static e => e.Alive!.Value)
        );
    }

    /// <summary>Kernels keep what a restart will want again, and other clients wait for the next incarnation instead of leaving.</summary>
    [Theory]
    [InlineData(ExitCause.Restarted, "true")]
    [InlineData(ExitCause.Cancelled, "false")]
    public void A_kernel_is_told_whether_it_is_ended_to_be_started_again(string cause, string restart)
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Stop, Cause = cause });
        kernel.WaitForExit();
        kernel.Tape.Read();

        JupyterMessage reply = Assert.Single(kernel.Tape.Entries, static e => e.Message is { MessageType: "shutdown_reply" }).Message!;
        Assert.Contains($"\"restart\": {restart}", System.Text.Encoding.UTF8.GetString(reply.Content.Span), StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_that_ignores_its_shutdown_is_ended_all_the_same()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted("ignore-shutdown", graceMs: 300).WaitUntilReady();

        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Stop, Cause = "cancelled" });
        LinkMessage exited = kernel.WaitForExit();

        Assert.Equal("cancelled", exited.Cause);
        Assert.Equal(Libc.SigTerm, exited.Signal);
    }

    [Fact]
    public void What_cannot_be_a_request_is_refused_by_name()
    {
        using SupervisedKernel kernel = SupervisedKernel.Scripted().WaitUntilReady();

        Assert.Equal(
            LinkCodes.MessageInvalid,
            kernel
                .Link.Send(
                    new LinkMessage
                    {
                        Type = LinkMessageType.Execute,
                        MessageId = "x",
                        Body = new byte[] { 1, 2, 3 },
                    }
                )
                .Code
        );
        LinkMessage request = kernel.ExecuteRequest("one", "print 1");
        Assert.Equal(
            LinkCodes.MessageInvalid,
            kernel
                .Link.Send(
                    new LinkMessage
                    {
                        Type = LinkMessageType.Execute,
                        MessageId = "two",
                        Body = request.Body,
                    }
                )
                .Code
        );
        Assert.Equal(LinkCodes.MessageInvalid, kernel.Link.Send(kernel.ExecuteRequest("quo\"te", "print 1")).Code);
        Assert.Equal(
            LinkCodes.MessageInvalid,
            kernel
                .Link.Send(
                    new LinkMessage
                    {
                        Type = LinkMessageType.Send,
                        Channel = "iopub",
                        Body = request.Body,
                    }
                )
                .Code
        );
        Assert.Equal(LinkCodes.NotSupported, kernel.Link.Send(new LinkMessage { Type = LinkMessageType.Pause }).Code);
        Assert.Equal(LinkCodes.NotIdle, kernel.Link.Send(new LinkMessage { Type = LinkMessageType.Release }).Code);
        Assert.Equal("ok", kernel.Run("print still here"));
    }
}
