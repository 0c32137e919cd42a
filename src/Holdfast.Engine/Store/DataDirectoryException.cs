namespace Holdfast.Engine.Store;

/// <summary>The data directory cannot be used; the message says why and what to do. Codes are in <see cref="ErrorCodes"/>.</summary>
public sealed class DataDirectoryException(string code, string message, Exception? cause = null) : Exception(message, cause)
{
    public string Code { get; } = code;
}
