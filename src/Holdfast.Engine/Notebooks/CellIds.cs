using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Holdfast.Engine.Notebooks;

/// <summary>
/// Ids for cells that lack one: eight hexadecimal digits as nbformat's, but drawn from the cell's place and source instead of at random,
/// so that they are the same each time until the file is saved.
/// </summary>
internal static class CellIds
{
    /// <summary>An id not in <paramref name="taken"/>, and adds it there.</summary>
    public static string For(int index, string source, HashSet<string> taken)
    {
        for (int round = 0; ; round++)
        {
            string seed = string.Create(CultureInfo.InvariantCulture, $"{round}:{index}:{source}");
            string id = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(seed))[..4]);
            if (taken.Add(id))
            {
                return id;
            }
        }
    }
}
