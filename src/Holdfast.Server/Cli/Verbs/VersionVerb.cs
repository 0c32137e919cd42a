using Holdfast.Engine;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary><c>holdfast version</c>: of this program, not of the server.</summary>
internal static class VersionVerb
{
    public static Verb Verb =>
        new("version", "version", "show the version of this program")
        {
            Globals = [GlobalOptions.Json, GlobalOptions.Help],
            RunAsync = (context, arguments) =>
            {
                context.Terminal.WriteLine(
                    arguments.IsJson ? $$"""{"version":"{{ProductVersion.Current}}"}""" : $"holdfast {ProductVersion.Current}"
                );
                return Task.FromResult(ExitCodes.Success);
            },
        };
}
