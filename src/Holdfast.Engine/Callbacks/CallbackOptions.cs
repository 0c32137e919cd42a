using System.Net;

namespace Holdfast.Engine.Callbacks;

/// <summary>Where callbacks may go, as set by whoever starts the server.</summary>
public sealed record CallbackOptions
{
    /// <summary>The variable that says so: networks separated by commas.</summary>
    public const string AllowVariable = "HOLDFAST_CALLBACKS_ALLOW";

    /// <summary>
    /// Networks beside the public ones. Default: none, so that whoever may submit a job cannot make the server talk to what only it can
    /// reach.
    /// </summary>
    public IReadOnlyList<IPNetwork> Allow { get; init; } = [];

    /// <summary>
    /// Reads <c>10.1.0.0/16,127.0.0.1</c>; a single address stands for itself. The part that is none of both is given back in
    /// <paramref name="wrong"/>.
    /// </summary>
    public static IReadOnlyList<IPNetwork>? ParseNetworks(string text, out string? wrong)
    {
        var networks = new List<IPNetwork>();
        foreach (string part in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (IPNetwork.TryParse(part, out IPNetwork network))
            {
                networks.Add(network);
            }
            else if (IPAddress.TryParse(part.Trim('[', ']'), out IPAddress? address))
            {
                networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            }
            else
            {
                wrong = part;
                return null;
            }
        }

        wrong = null;
        return networks;
    }
}
