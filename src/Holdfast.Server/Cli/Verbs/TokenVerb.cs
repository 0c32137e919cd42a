using Holdfast.Engine;
using Holdfast.Engine.Store;
using Holdfast.Server.Cli.Screen;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>
/// <c>holdfast token</c>: the data directory's own token, for other programs. It is read from its file, so no server need run.
/// </summary>
internal static class TokenVerb
{
    public static Verb Verb =>
        new("token", "token", "show the data directory's own token, which may do everything")
        {
            Globals = [GlobalOptions.Json, GlobalOptions.Data, GlobalOptions.Help],
            Notes =
                "Made for $(holdfast token). Give other people and programs a token of their own, which can be revoked: holdfast tokens create.",
            RunAsync = (context, arguments) =>
            {
                string file = DataDirectoryPaths.Resolve(arguments.Text(GlobalOptions.Data.Name), context.Environment).Token;
                string token;
                try
                {
                    token = File.ReadAllText(file).Trim();
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException)
                {
                    throw new RefusedException(
                        ErrorCodes.Unauthorized,
                        $"There is no token that can be read at {file}. A server makes it at its first start. ({e.Message})"
                    );
                }

                context.Terminal.WriteLine(arguments.IsJson ? $$"""{"token":"{{token}}"}""" : token);
                return Task.FromResult(ExitCodes.Success);
            },
        };
}
