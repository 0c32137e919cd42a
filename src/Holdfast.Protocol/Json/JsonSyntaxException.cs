namespace Holdfast.Protocol.Json;

/// <summary>Bytes that are not JSON, or a value that is not of the kind that was asked for.</summary>
public sealed class JsonSyntaxException(string message) : FormatException(message)
{
    internal JsonSyntaxException(string what, int position)
        : this($"The text {what}, at byte {position}.") { }
}
