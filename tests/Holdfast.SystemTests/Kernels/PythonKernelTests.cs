using System.Globalization;
using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;
using Holdfast.Protocol.Processes;

namespace Holdfast.SystemTests.Kernels;

/// <summary>The real ipykernel under the real supervisor.</summary>
public class PythonKernelTests
{
    [Theory]
    [InlineData("ipc")]
    [InlineData("tcp")]
    public void Output_results_and_errors_are_journalled_with_their_reply_and_idle(string transport)
    {
        using SupervisedKernel kernel = SupervisedKernel.Python(transport).WaitUntilReady();

        Assert.Equal("ok", kernel.Run("print('one'); print('two')"));
        Assert.Equal("one\ntwo\n", kernel.Stream("cell-1"));

        Assert.Equal("ok", kernel.Run("from IPython.display import display\ndisplay('d')\n1+1"));
        Assert.Equal(
            ["status", "execute_input", "display_data", "execute_result", "status"],
            kernel.Of(JournalChannel.IoPub, "cell-2").Select(static m => m.MessageType)
        );

        Assert.Equal("error", kernel.Run("1/0"));
        Assert.Contains(kernel.Of(JournalChannel.IoPub, "cell-3"), static m => m.MessageType == "error");

        // What was asked stands in the journal before what was answered, and was signed.
        Assert.Contains(
            kernel.Tape.Entries,
            static e => e.Channel == JournalChannel.ShellRequest && e.Message!.MessageId == "cell-1" && e.Message.Signature.Length == 64
        );
        Assert.Contains(kernel.Tape.Events, static e => e.Event == "ready");
        Assert.DoesNotContain(kernel.Tape.Events, static e => e.Event is "gap" or "badSignature");
    }

    [Theory]
    [InlineData("ipc")]
    [InlineData("tcp")]
    public void Input_is_asked_for_and_answered_once(string transport)
    {
        using SupervisedKernel kernel = SupervisedKernel.Python(transport).WaitUntilReady();

        string cell = kernel.Execute("print('hello', input('name? '))");
        kernel.WaitForTape(() => kernel.Of(JournalChannel.Stdin, cell).Any());
        Assert.Equal(LinkMessageType.Done, kernel.Input("ann").Type);
        Assert.Equal(LinkCodes.InputNotRequested, kernel.Input("bob").Code);

        Assert.Equal("ok", kernel.WaitForOutcome(cell));
        Assert.Equal("hello ann\n", kernel.Stream(cell));
    }

    [Theory]
    [InlineData("signal")]
    [InlineData("message")]
    public void An_interrupt_ends_the_cell_and_not_the_kernel(string interruptMode)
    {
        using SupervisedKernel kernel = SupervisedKernel.Python(interruptMode: interruptMode).WaitUntilReady();

        string cell = kernel.Execute("import time\nprint('on', flush=True)\nwhile True: time.sleep(0.01)");
        kernel.WaitForTape(() => kernel.Stream(cell).Length > 0);
        kernel.Link.Ask(new LinkMessage { Type = LinkMessageType.Interrupt });

        Assert.Equal("error", kernel.WaitForOutcome(cell));
        Assert.Contains("KeyboardInterrupt", JupyterJson.GetText(kernel.Reply(cell)!.Content.Span, "ename"u8), StringComparison.Ordinal);
        Assert.Equal("ok", kernel.Run("1"));
    }

    [Fact]
    public void Sixty_thousand_small_messages_are_all_there_in_order()
    {
        using SupervisedKernel kernel = SupervisedKernel.Python().WaitUntilReady();
        const int count = 60_000;

        Assert.Equal(
            "ok",
            kernel.Run(
                "from ipykernel.kernelapp import IPKernelApp\nprint(IPKernelApp.instance().iopub_thread.socket.sndhwm, get_ipython().execution_count)"
            )
        );
        Assert.Equal("0 1\n", kernel.Stream("cell-1"));

        // As fast as ipykernel publishes, without display's own work: it is its publishing socket that would drop.
        Assert.Equal(
            "ok",
            kernel.Run(
                "k = get_ipython().kernel\n"
                    + $"for i in range({count}):\n k.session.send(k.iopub_socket, 'display_data', {{'data':{{'text/plain':str(i)}},'metadata':{{}},'transient':{{}}}}, parent=k.get_parent('shell'))"
            )
        );

        Assert.Equal(
            Enumerable.Range(0, count).Select(static i => i.ToString(CultureInfo.InvariantCulture)),
            kernel.Of(JournalChannel.IoPub, "cell-2").Where(static m => m.MessageType == "display_data").Select(Text)
        );

        static string Text(JupyterMessage message)
        {
            using var content = System.Text.Json.JsonDocument.Parse(message.Content);
            return content.RootElement.GetProperty("data").GetProperty("text/plain").GetString()!;
        }
    }

    [Fact]
    public void A_message_of_a_hundred_megabytes_leaves_the_supervisor_small()
    {
        using SupervisedKernel kernel = SupervisedKernel.Python().WaitUntilReady();
        long before = kernel.MemoryKb("VmRSS");
        const int bytes = 100_000_000;

        Assert.Equal("ok", kernel.Run($"import sys\nsys.stdout.write('x' * {bytes})\nsys.stdout.flush()"));

        // Counted by what was written: on a slow machine ipykernel adds that its flush took more than ten seconds.
        Assert.Equal(bytes, kernel.Stream("cell-1").AsSpan().Count('x'));

        // While it is received it is in memory once, in libzmq's; then not at all.
        Assert.InRange(kernel.MemoryKb("VmHWM"), 0, before + 160_000);
        Assert.InRange(kernel.MemoryKb("VmRSS"), 0, before + 30_000);
    }

    [Fact]
    public void Output_while_nobody_is_connected_is_there_afterwards()
    {
        using SupervisedKernel kernel = SupervisedKernel.Python().WaitUntilReady();

        string cell = kernel.Execute("import time\nfor i in range(40):\n print(i, flush=True)\n time.sleep(0.02)");
        string next = kernel.Execute("print('next')");
        kernel.WaitForTape(() => kernel.Stream(cell).Length > 0);
        kernel.Link.Dispose();
        kernel.WaitForFile(() => kernel.HasIdle(next) && kernel.Reply(next) is not null);
        kernel.Reconnect();

        Assert.Equal("running", kernel.Link.Welcome!.State);
        Assert.Equal(LinkMessageType.Started, kernel.Link.Next().Type);
        Assert.Equal(LinkMessageType.Ready, kernel.Link.Next().Type);
        Assert.Equal(string.Concat(Enumerable.Range(0, 40).Select(static i => i + "\n")), kernel.Stream(cell));

        // Who asks again, not knowing whether it was heard, changes nothing.
        Assert.Equal(next, kernel.Execute("print('next')", messageId: next));
        Assert.Equal("ok", kernel.Run("print('last')"));
        Assert.Equal("next\n", kernel.Stream(next));
    }

    [Fact]
    public void A_kernel_killed_in_mid_loop_ends_with_its_cause_and_its_output()
    {
        using SupervisedKernel kernel = SupervisedKernel.Python().WaitUntilReady();

        string cell = kernel.Execute("import time\nwhile True:\n print('tick', flush=True)\n time.sleep(0.01)");
        string waiting = kernel.Execute("2");
        kernel.WaitForTape(() => kernel.Stream(cell).Contains("tick", StringComparison.Ordinal));
        Assert.Equal(0, Libc.Kill(kernel.KernelPid, Libc.SigKill));
        LinkMessage exited = kernel.WaitForExit();
        kernel.Tape.Read();

        Assert.Equal(Libc.SigKill, exited.Signal);
        Assert.Null(kernel.Reply(cell));
        Assert.Contains(kernel.Tape.Events, e => e.Event == "skipped" && e.MessageId == waiting);
        Assert.Equal("exit", kernel.Tape.Events.Last().Event);
        Assert.True(File.Exists(kernel.Files.Exit));
        Assert.False(File.Exists(kernel.Files.Connection));
    }

    [Fact]
    public void A_busy_kernel_that_is_to_end_is_interrupted_and_not_waited_for()
    {
        using SupervisedKernel kernel = SupervisedKernel.Python().WaitUntilReady();
        string cell = kernel.Execute("import time\nprint('on', flush=True)\ntime.sleep(1000)");
        kernel.WaitForTape(() => kernel.Stream(cell) == "on\n");

        kernel.Link.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Cause = "cancelled",
                GraceMs = 50_000,
            }
        );
        LinkMessage exited = kernel.WaitForExit();
        kernel.Tape.Read();

        Assert.Equal((0, 0), (exited.ExitCode, exited.Signal)); // After the grace it would have been a SIGTERM.
        Assert.Equal("KeyboardInterrupt", JupyterJson.GetText(kernel.Reply(cell)!.Content.Span, "ename"u8));
    }

    [Fact]
    public void A_stop_lets_the_kernel_shut_down_and_takes_along_what_it_started()
    {
        using SupervisedKernel kernel = SupervisedKernel.Python().WaitUntilReady();
        Assert.Equal(
            "ok",
            kernel.Run(
                "import subprocess, os\nprint(subprocess.Popen(['sleep', '1000'], start_new_session=True).pid)\nprint(os.environ.get('JPY_PARENT_PID'))"
            )
        );
        string[] lines = kernel.Stream("cell-1").Split('\n');
        int child = int.Parse(lines[0], CultureInfo.InvariantCulture);

        kernel.Link.Ask(
            new LinkMessage
            {
                Type = LinkMessageType.Stop,
                Cause = "cancelled",
                GraceMs = 60_000,
            }
        );
        LinkMessage exited = kernel.WaitForExit();
        kernel.Tape.Read();

        Assert.Equal(0, exited.ExitCode);
        Assert.Equal("cancelled", exited.Cause);
        Assert.Contains(kernel.Tape.Entries, static e => e.Channel == JournalChannel.Control && e.Message!.MessageType == "shutdown_reply");
        Assert.Null(ProcessStat.Of(child));
        Assert.Equal("None", lines[1]);
    }
}
