namespace Holdfast.Server.Cli.Syntax;

/// <summary>The options that every verb takes, before or after its name.</summary>
public static class GlobalOptions
{
    public static readonly Option Json = new("--json", "", "answer in JSON, one object a line");
    public static readonly Option Url = new("--url", "URL", "the server's address");
    public static readonly Option Token = new(
        "--token",
        "TOKEN",
        "the server's token; everybody on this machine can see it in `ps`, but not in HOLDFAST_TOKEN"
    );
    public static readonly Option Data = new("--data", "DIR", "the data directory of a server on this machine");
    public static readonly Option Help = new("--help", "", "show this") { Short = "-h" };

    public static readonly Option[] All = [Json, Url, Token, Data, Help];
}
