using Holdfast.Protocol.Jupyter;

namespace Holdfast.Engine.Kernels;

/// <summary>The kernelspecs on this machine. Searched anew each time: people install them while the server runs.</summary>
public static class KernelSpecs
{
    /// <summary>The named spec; refused with the list of those that were found.</summary>
    public static KernelSpec Require(string name)
    {
        KernelSpecListing listing = KernelSpecSearch.Search();
        return listing.Find(name) ?? throw new RefusedException(ErrorCodes.KernelSpecNotFound, Missing(name, listing));
    }

    private static string Missing(string name, KernelSpecListing listing)
    {
        string broken = string.Concat(listing.Broken.Select(b => $" '{b.Name}' in {b.ResourceDirectory} cannot be used: {b.Reason}"));
        return listing.Specs.Count == 0
            ? $"There is no kernelspec '{name}', and none at all was found in {string.Join(", ", listing.SearchedDirectories)}.{broken} Install one, such as Debian's python3-ipykernel."
            : $"There is no kernelspec '{name}'. Found: {string.Join(", ", listing.Specs.Select(s => s.Name))}.{broken}";
    }
}
