namespace Holdfast.Engine.Notebooks.Json;

/// <summary>The text is not JSON from this byte on; the message says what stood there or what was expected.</summary>
internal sealed class JsonTextException(int position, string message) : Exception(message)
{
    public int Position { get; } = position;
}
