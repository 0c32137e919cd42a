using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Holdfast.Server.Jupyter;
using Holdfast.Server.Jupyter.Terminals;

namespace Holdfast.Tests.Jupyter.Terminals;

public sealed class TerminalMessageTests
{
    [Theory]
    [InlineData("""["stdin", "ls\r"]""", TerminalMessageKind.StandardInput, "ls\r", 0, 0)]
    [InlineData("""["stdin", "\u0003"]""", TerminalMessageKind.StandardInput, "\u0003", 0, 0)]
    [InlineData("""["stdin", "a", "more", {"b": []}]""", TerminalMessageKind.StandardInput, "a", 0, 0)]
    [InlineData("""["set_size", 24, 80, 408, 640]""", TerminalMessageKind.Size, "", 24, 80)]
    [InlineData("""["set_size", 24.9, 80]""", TerminalMessageKind.Size, "", 24, 80)]
    [InlineData("""["set_size", null, null, 0, 0]""", TerminalMessageKind.Size, "", 0, 0)]
    [InlineData("""["set_size", -1, 1e99]""", TerminalMessageKind.Size, "", 0, 0)]
    [InlineData("""["anything", {"x": 1}]""", TerminalMessageKind.Other, null, 0, 0)]
    internal void A_message_is_read(string json, TerminalMessageKind kind, string? text, int rows, int columns)
    {
        Assert.True(TerminalMessage.TryRead(Encoding.UTF8.GetBytes(json), out TerminalMessage message));
        Assert.Equal(new TerminalMessage(kind, text!, rows, columns), message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("[1]")]
    [InlineData("\"stdin\"")]
    [InlineData("""["stdin"]""")]
    [InlineData("""["stdin", 5]""")]
    [InlineData("""["stdin", "a" """)]
    [InlineData("""["stdin", "\ud800"]""")]
    [InlineData("""["set_size", "a", 5]""")]
    [InlineData("""["set_size", 5]""")]
    [InlineData("""["set_size", {"a": 1}, 5]""")]
    [InlineData("""["stdin", "a"] x""")]
    public void What_is_none_is_refused(string json) => Assert.False(TerminalMessage.TryRead(Encoding.UTF8.GetBytes(json), out _));

    [Fact]
    public void Any_pieces_of_messages_are_read_or_refused_and_nothing_else() =>
        Prop.ForAll(
                Gen.Elements(
                        "[",
                        "]",
                        "{",
                        "}",
                        ",",
                        ":",
                        "\"stdin\"",
                        "\"set_size\"",
                        "\"a\\ud800\"",
                        "\u00e9",
                        "1",
                        "-2e9",
                        "null",
                        "true",
                        " ",
                        "\u0000"
                    )
                    .ListOf()
                    .Select(string.Concat)
                    .ToArbitrary(),
                pieces =>
                {
                    bool isRead = TerminalMessage.TryRead(Encoding.UTF8.GetBytes(pieces), out TerminalMessage message);
                    return isRead || message.Kind != TerminalMessageKind.Size || message.Rows >= 0;
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Messages_are_written_as_terminado_s_clients_read_them()
    {
        Assert.Equal("""["setup",{}]""", Written(TerminalMessage.WriteSetup));
        Assert.Equal("""["stdout","a\"ä\r\n\u001B[0m"]""", Written(writer => TerminalMessage.WriteStandardOutput(writer, "a\"ä\r\n\e[0m")));
        Assert.Equal("""["disconnect",1]""", Written(TerminalMessage.WriteDisconnect));
    }

    private static string Written(Action<Utf8JsonWriter> write)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, JupyterText.Options))
        {
            write(writer);
        }

        return Encoding.UTF8.GetString(stream.ToArray());
    }
}
