using Holdfast.Protocol.Attempts;

namespace Holdfast.Supervisor.Children;

/// <summary>
/// A child's environment: what the spec names of ours, what it has, and the mark by which what a dead supervisor left behind is known as
/// ours.
/// </summary>
internal static class ChildEnvironment
{
    private const int MarkNonceCharacters = 16;

    public static string[] Of(AttemptSpec spec)
    {
        string[] environment = new string[spec.Inherit.Length + spec.Environment.Length + 1];
        int count = 0;
        foreach (string name in spec.Inherit)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                environment[count++] = name + "=" + value;
            }
        }

        spec.Environment.CopyTo(environment, count);
        count += spec.Environment.Length;
        environment[count++] = "HOLDFAST_ATTEMPT=" + spec.Attempt + ":" + spec.Nonce[..Math.Min(MarkNonceCharacters, spec.Nonce.Length)];
        return environment[..count];
    }
}
