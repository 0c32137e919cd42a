namespace Holdfast.Server.Hosting.Tls;

/// <summary>Where a server's certificate and its key are: PEM files, the certificate's with its chain behind it.</summary>
public sealed record TlsFiles(string Certificate, string Key);
