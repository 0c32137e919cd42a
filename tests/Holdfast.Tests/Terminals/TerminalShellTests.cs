using Holdfast.Engine.Terminals;

namespace Holdfast.Tests.Terminals;

public sealed class TerminalShellTests
{
    [Theory]
    [InlineData("/usr/bin/zsh", "/usr/bin/zsh")]
    [InlineData("/gone/zsh", "/bin/bash")]
    [InlineData("zsh", "/bin/bash")]
    [InlineData("", "/bin/bash")]
    [InlineData(null, "/bin/bash")]
    public void The_shell_is_the_user_s_where_it_is_there(string? preferred, string shell) =>
        Assert.Equal([shell, "-l"], TerminalShell.Argv(preferred, static f => f is "/usr/bin/zsh" or "/bin/bash" or "/bin/sh" or "zsh"));

    [Fact]
    public void Without_bash_it_is_sh() => Assert.Equal(["/bin/sh", "-l"], TerminalShell.Argv(null, static f => f == "/bin/sh"));

    [Theory]
    [InlineData(null, "/root")]
    [InlineData("", "/root")]
    [InlineData("/srv", "/srv")]
    [InlineData("work", "/root/work")]
    [InlineData("/work", "/root/work")]
    [InlineData("none/such", "/root")]
    [InlineData("/none", "/root")]
    [InlineData("a\0b", "/root")]
    public void The_folder_is_as_it_is_asked_for_or_below_the_root_or_the_root(string? asked, string folder) =>
        Assert.Equal(folder, TerminalShell.Directory(asked, "/root", static f => f is "/srv" or "/root/work" or "/root"));
}
