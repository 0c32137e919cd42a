namespace Holdfast.Engine.Callbacks;

/// <summary>No address that a name stands for may be connected to. The message says how it can be allowed.</summary>
public sealed class AddressRefusedException(string host, IEnumerable<string> addresses)
    : IOException($"{host} is {string.Join(", ", addresses)}. {Explain(host)}")
{
    public static string Explain(string host) =>
        $"Callbacks to '{host}' are not allowed: it is not on the public internet. Whoever runs the server can allow it by starting it with {CallbackOptions.AllowVariable} naming its network, such as {CallbackOptions.AllowVariable}=127.0.0.0/8,10.1.2.0/24.";
}
