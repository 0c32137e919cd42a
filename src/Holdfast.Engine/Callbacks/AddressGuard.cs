using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Holdfast.Engine.Callbacks;

/// <summary>
/// Which addresses a callback may be sent to: public ones, and those of the allowed networks. Everything that is this machine, its network,
/// or means several machines at once is refused, in whatever form it is written: IPv4 inside of IPv6 is judged as the IPv4 address it is.
/// The ranges are those of the IANA's special-purpose registries.
/// </summary>
public sealed class AddressGuard(IReadOnlyList<IPNetwork> allowed)
{
    private static readonly IPNetwork[] NotPublic =
    [
        .. Networks(
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4"
        ),
        // Of IPv6 only 2000::/3 is given to the world; within it these are not, or carry IPv4 addresses to places nobody has checked
        // (Teredo, 6to4).
        .. Networks("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    ];

    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Translated = IPNetwork.Parse("64:ff9b::/96"); // NAT64: the last four bytes are an IPv4 address.

    public bool IsAllowed(IPAddress address)
    {
        address = Plain(address);
        return IsPublic(address) || allowed.Any(n => n.BaseAddress.AddressFamily == address.AddressFamily && n.Contains(address));
    }

    /// <summary>
    /// What is known of a name or literal address without asking anyone: false when it can only lead where callbacks may not go.
    /// </summary>
    public bool MayBeAllowed(string host)
    {
        if (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? literal))
        {
            return IsAllowed(literal);
        }

        string name = host.TrimEnd('.');
        bool isLocal =
            name.Equals("localhost", StringComparison.OrdinalIgnoreCase) || name.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);
        return !isLocal || IsAllowed(IPAddress.Loopback) || IsAllowed(IPAddress.IPv6Loopback);
    }

    private static bool IsPublic(IPAddress address) =>
        (address.AddressFamily == AddressFamily.InterNetwork || GlobalUnicast.Contains(address))
        && !NotPublic.Any(n => n.BaseAddress.AddressFamily == address.AddressFamily && n.Contains(address));

    private static IPAddress Plain(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        // Without the zone: a link-local address is one on every link.
        byte[] bytes = address.GetAddressBytes();
        var plain = new IPAddress(bytes);
        return Translated.Contains(plain) ? new IPAddress(BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(12))) : plain;
    }

    private static IEnumerable<IPNetwork> Networks(params string[] texts) => texts.Select(static t => IPNetwork.Parse(t));
}
