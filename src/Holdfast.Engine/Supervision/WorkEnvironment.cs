namespace Holdfast.Engine.Supervision;

/// <summary>
/// An environment as spec.json has it: what of it is the server's own is named there, and its value goes to the supervisor as environments
/// do, on no disk; the rest is written with its values.
/// </summary>
internal static class WorkEnvironment
{
    private static readonly string[] SecretWords =
    [
        "PASS",
        "PWD",
        "SECRET",
        "TOKEN",
        "KEY",
        "CREDENTIAL",
        "DSN",
        "AUTH",
        "CONNECTION",
        "DATABASE_URL",
    ];

    /// <summary>For a supervisor that this server starts: everything that it shares with the server by name.</summary>
    public static (string[] Inherit, string[] Written) Split(Dictionary<string, string> variables) =>
        Split(variables, static (_, _) => true);

    /// <summary>
    /// For one that may be older than this server, whose own variables may be others: by name only what looks like a secret.
    /// </summary>
    public static (string[] Inherit, string[] Written) SplitSecrets(Dictionary<string, string> variables) => Split(variables, LooksSecret);

    /// <summary>By its name, or because it is an address with a password in it.</summary>
    internal static bool LooksSecret(string name, string value) =>
        (
            Array.Exists(SecretWords, w => name.Contains(w, StringComparison.OrdinalIgnoreCase))
            && name is not ("PWD" or "OLDPWD" or "SSH_AUTH_SOCK")
        ) || HasPassword(value);

    private static (string[] Inherit, string[] Written) Split(Dictionary<string, string> variables, Func<string, string, bool> isNamed)
    {
        var inherit = new List<string>();
        var written = new List<string>();
        foreach ((string name, string value) in variables)
        {
            if (isNamed(name, value) && SupervisorSpawner.Passes(name) && Environment.GetEnvironmentVariable(name) == value)
            {
                inherit.Add(name);
            }
            else
            {
                written.Add($"{name}={value}");
            }
        }

        return ([.. inherit], [.. written]);
    }

    /// <summary><c>scheme://user:password@host</c>, or <c>password=...</c> as in libpq's and ODBC's.</summary>
    private static bool HasPassword(string value)
    {
        int scheme = value.IndexOf("://", StringComparison.Ordinal);
        if (scheme >= 0)
        {
            string authority = value[(scheme + 3)..].Split('/', '?', '#')[0];
            int at = authority.LastIndexOf('@');
            if (at >= 0 && authority.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon && colon < at)
            {
                return true;
            }
        }

        return value.Contains("password=", StringComparison.OrdinalIgnoreCase)
            || value.Contains("pwd=", StringComparison.OrdinalIgnoreCase)
            || value.Contains("token=", StringComparison.OrdinalIgnoreCase);
    }
}
