namespace Holdfast.Engine;

/// <summary>
/// The one exception a caller of an operation may expect: a stable code, and a sentence with the remedy. Anything else is a bug or a failed
/// disk.
/// </summary>
public class RefusedException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
