namespace Holdfast.Server.Cli.Syntax;

/// <summary>The command line says something that cannot be understood; the message says what and what would be.</summary>
public sealed class UsageException(string message) : Exception(message);
