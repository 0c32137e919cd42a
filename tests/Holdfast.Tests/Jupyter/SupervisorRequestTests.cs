using System.Text;
using Holdfast.Protocol.Jupyter;

namespace Holdfast.Tests.Jupyter;

public sealed class SupervisorRequestTests
{
    [Theory]
    [InlineData("k_supervisor_1", "kernel_info_request", true)]
    [InlineData("k_supervisor_2", "execute_request", true)]
    [InlineData("k_supervisor_3", "shutdown_request", false)]
    [InlineData("k_supervisor_4", "interrupt_request", false)]
    [InlineData("a client's", "kernel_info_request", false)]
    [InlineData("", "", false)]
    public void What_a_supervisor_asks_at_the_start_is_told_from_what_it_orders_and_from_everybody_elses(
        string id,
        string type,
        bool isOne
    ) =>
        Assert.Equal(
            isOne,
            SupervisorRequest.IsQuestion(
                Encoding.UTF8.GetBytes($$"""{"msg_type":"{{type}}","session":"_supervisor_1","msg_id":"{{id}}"}""")
            )
        );
}
