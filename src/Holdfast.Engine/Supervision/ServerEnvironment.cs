using System.Collections;

namespace Holdfast.Engine.Supervision;

/// <summary>The environment that work inherits: the server's own, less its secrets and the settings of its own runtime.</summary>
internal static class ServerEnvironment
{
    private static readonly string[] Withheld =
    [
        "HOLDFAST_TOKEN",
        "HOLDFAST_CRASH_POINT",
        "HOLDFAST_CRASH_ONCE",
        "HOLDFAST_ATTEMPT",
        "HOLDFAST_EXECUTION",
    ];

    public static Dictionary<string, string> Inherited()
    {
        var variables = new Dictionary<string, string>();
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            string name = (string)variable.Key;
            if (!Withheld.Contains(name) && !name.StartsWith("DOTNET_gc", StringComparison.OrdinalIgnoreCase))
            {
                variables[name] = (string?)variable.Value ?? "";
            }
        }

        return variables;
    }
}
