using System.Text;

namespace Holdfast.Server.Cli.Client;

/// <summary>One server-sent event; the data is valid until the next one is read.</summary>
public readonly record struct ServerEvent(string Name, string? Id, ReadOnlyMemory<byte> Data)
{
    public string DataText => Encoding.UTF8.GetString(Data.Span);
}
