using System.Net;
using System.Net.Sockets;

namespace Holdfast.Server.Hosting.Access;

/// <summary>
/// Counts wrong tokens by the address that they came from: beyond ten a minute a wrong one is answered 429. A right one is let in all the
/// same, so nobody can lock out whoever shares his address. It is bounded: of too many addresses the one that was quiet longest is
/// forgotten.
/// </summary>
internal sealed class FailedTries(TimeProvider time)
{
    private const int TriesMax = 10;
    private const int AddressesMax = 4096;
    private const int NetworkBytes = 8; // An IPv6 subscriber has a whole /64.
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Dictionary<IPAddress, (int Count, long Since)> _byAddress = []; // Guarded by itself.

    /// <summary>Counts one more; when there were too many, how long to wait, and whether this is the first too many.</summary>
    public (TimeSpan Wait, bool IsFirst)? Add(IPAddress? remote)
    {
        IPAddress address = Network(remote ?? IPAddress.None);
        long now = time.GetTimestamp();
        lock (_byAddress)
        {
            (int count, long since) =
                _byAddress.TryGetValue(address, out var kept) && time.GetElapsedTime(kept.Since, now) < Window ? kept : (0, now);
            if (!_byAddress.ContainsKey(address) && _byAddress.Count >= AddressesMax)
            {
                _byAddress.Remove(_byAddress.MinBy(static a => a.Value.Since).Key);
            }

            _byAddress[address] = (count + 1, since);
            return count < TriesMax ? null : (Window - time.GetElapsedTime(since, now), count == TriesMax);
        }
    }

    private static IPAddress Network(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            return address.MapToIPv4();
        }

        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        byte[] bytes = address.GetAddressBytes();
        Array.Clear(bytes, NetworkBytes, bytes.Length - NetworkBytes);
        return new IPAddress(bytes);
    }
}
