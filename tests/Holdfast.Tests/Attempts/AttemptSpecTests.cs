using System.Text;
using Holdfast.Protocol.Attempts;

namespace Holdfast.Tests.Attempts;

public sealed class AttemptSpecTests
{
    [Fact]
    public void A_job_reads_back_as_it_was_written()
    {
        var spec = new AttemptSpec
        {
            Attempt = "a1",
            Kind = AttemptSpec.KindJob,
            Nonce = "00ff",
            Socket = "/run/x.sock",
            Fence = 7,
            Argv = ["sh", "-c", "echo \"ü\"\n"],
            Cwd = "/tmp",
            Environment = ["PATH=/bin:/usr/bin", "EMPTY=", "EQUALS=a=b"],
            StandardInput = AttemptSpec.InputPipe,
            StandardInputBytes = [0, 1, 255],
            TimeoutMs = 5000,
            GraceMs = 300,
            Pty = true,
            Rows = 40,
            Columns = 132,
        };

        AttemptSpec read = AttemptSpec.Read(spec.Write());

        Assert.Equivalent(spec, read, strict: true);
    }

    [Fact]
    public void A_kernel_reads_back_as_it_was_written()
    {
        var spec = new AttemptSpec
        {
            Attempt = "a2",
            Kind = AttemptSpec.KindKernel,
            Nonce = "00ff",
            Argv = ["python3", "-f", "{connection_file}"],
            Transport = "ipc",
            InterruptMode = "signal",
            Username = "ann",
            SessionId = "s",
            Key = "beef",
            StartTimeoutMs = 60_000,
            GraceMs = 5,
        };

        Assert.Equivalent(spec, AttemptSpec.Read(spec.Write()), strict: true);
    }

    [Fact]
    public void The_written_form_is_the_contract()
    {
        var spec = new AttemptSpec
        {
            Attempt = "a1",
            Kind = AttemptSpec.KindJob,
            Nonce = "00ff",
            Socket = "/s",
            Fence = 1,
            Argv = ["true"],
            Cwd = "/",
            Environment = ["A=b"],
            GraceMs = 10,
            TimeoutMs = 20,
        };

        Assert.Equal(
            """{"version":1,"attempt":"a1","kind":"job","nonce":"00ff","socket":"/s","fence":1,"argv":["true"],"cwd":"/","env":{"A":"b"},"graceMs":10,"stdin":"null","timeoutMs":20}"""
                + "\n",
            Encoding.UTF8.GetString(spec.Write())
        );
    }

    [Fact]
    public void Variables_that_are_passed_on_by_name_make_it_version_2_which_an_older_supervisor_refuses()
    {
        var spec = new AttemptSpec
        {
            Attempt = "a1",
            Kind = AttemptSpec.KindJob,
            Nonce = "00ff",
            Argv = ["true"],
            Environment = ["A=b"],
            Inherit = ["SECRET"],
        };

        Assert.StartsWith(
            """{"version":2,"attempt":"a1","kind":"job","nonce":"00ff","fence":0,"argv":["true"],"env":{"A":"b"},"inherit":["SECRET"],""",
            Encoding.UTF8.GetString(spec.Write()),
            StringComparison.Ordinal
        );
        Assert.Equal(["SECRET"], AttemptSpec.Read(spec.Write()).Inherit);
    }

    [Fact]
    public void Unknown_fields_are_skipped()
    {
        AttemptSpec spec = AttemptSpec.Read(
            """{"version":1,"later":{"x":[1,{"y":2}]},"attempt":"a","kind":"job","nonce":"n","argv":["true"],"more":[[]],"fence":3}"""u8
        );

        Assert.Equal(3, spec.Fence);
        Assert.Equal(["true"], spec.Argv);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"version":1,"attempt":"a","kind":"job","nonce":"n","argv":"true"}""")]
    [InlineData("""{"version":1,"attempt":"a","kind":"job","nonce":"n","argv":[null]}""")]
    [InlineData("""{"version":1,"attempt":"a","kind":"job","nonce":"n","argv":[]}""")]
    [InlineData("""{"version":1,"attempt":"a","kind":"room","nonce":"n","argv":["true"]}""")]
    [InlineData("""{"version":3,"attempt":"a","kind":"job","nonce":"n","argv":["true"]}""")]
    [InlineData("""{"attempt":"a","kind":"job","nonce":"n","argv":["true"]}""")]
    [InlineData("""{"version":1,"attempt":"a","kind":"job","nonce":"n","argv":["true"],"env":[]}""")]
    public void What_is_not_a_spec_is_refused(string json) =>
        Assert.Throws<AttemptFormatException>(() => AttemptSpec.Read(Encoding.UTF8.GetBytes(json)));
}
