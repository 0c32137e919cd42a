using System.Net;
using Holdfast.Engine.Callbacks;
using Holdfast.Server.Cli.Syntax;

namespace Holdfast.Server.Cli.Verbs;

/// <summary>The option of <c>holdfast serve</c> that is about callbacks, and the variable that says the same.</summary>
internal static class CallbackServeOptions
{
    private static readonly Option Allow = new(
        "--callbacks-allow",
        "NETWORK",
        "let callbacks go to this network that is not public, such as 127.0.0.0/8; beside $HOLDFAST_CALLBACKS_ALLOW"
    )
    {
        IsRepeatable = true,
    };

    public static IReadOnlyList<Option> All { get; } = [Allow];

    public static CallbackOptions Read(CliContext context, Arguments arguments)
    {
        var networks = new List<IPNetwork>();
        Add(CallbackOptions.AllowVariable, context.Environment(CallbackOptions.AllowVariable) ?? "");
        foreach (string[] given in arguments.All(Allow.Name))
        {
            Add(Allow.Name, given[0]);
        }

        return new CallbackOptions { Allow = networks };

        void Add(string name, string text) =>
            networks.AddRange(
                CallbackOptions.ParseNetworks(text, out string? wrong)
                    ?? throw new UsageException(
                        $"{name}: '{wrong}' is not a network. Give networks or addresses with commas between them, such as 127.0.0.0/8,10.1.2.3."
                    )
            );
    }
}
