using Holdfast.Protocol.Journal;
using Holdfast.Protocol.Jupyter;
using Holdfast.Protocol.Link;

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
            kernel.Of(JournalChannel.IoPub, "cell-2").Select(static m => m.MessageType));

        Assert.Equal("error", kernel.Run("1/0"));
        Assert.Contains(kernel.Of(JournalChannel.IoPub, "cell-3"), static m => m.MessageType == "error");

        // What was asked stands before what was answered, and was signed.
        Assert.Contains(kernel.Tape.Entries, static e => e.Channel == JournalChannel.ShellRequest && e.Message!.MessageId == "cell-1" && e.Message.Signature.Length == 64);
        Assert.Contains(kernel.Tape.Events, static e => e.Event == "ready");
        Assert.DoesNotContain(kernel.Tape.Events, static e => e.Event is "gap" or "badSignature");
    }
}
