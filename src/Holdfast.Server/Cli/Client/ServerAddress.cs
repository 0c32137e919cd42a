namespace Holdfast.Server.Cli.Client;

/// <summary>Where a server is and what it wants to see. Local means that it sees the same files as we do.</summary>
public sealed record ServerAddress(string Url, string? Token, bool IsLocal)
{
    /// <summary>The certificate that the data directory says the server has; null where it says nothing.</summary>
    public string? CertificateSha256 { get; init; }
}
