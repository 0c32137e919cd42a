using System.Numerics;

namespace Holdfast.Engine.Reactive.Graph;

/// <summary>
/// A set of places in a notebook that gives the first of them: a tree of bits, 64 to a node, so that ten thousand cells are three levels
/// and no comparison.
/// </summary>
internal sealed class PlaceQueue
{
    private const int Bits = 6;

    private readonly ulong[][] _levels;

    public PlaceQueue(int places)
    {
        var levels = new List<ulong[]>();
        do
        {
            places = (places + (1 << Bits) - 1) >> Bits;
            levels.Add(new ulong[Math.Max(places, 1)]);
        } while (places > 1);
        _levels = [.. levels];
    }

    public void Add(int place)
    {
        foreach (ulong[] level in _levels)
        {
            ref ulong word = ref level[place >> Bits];
            bool isKnownAbove = word != 0;
            word |= 1UL << place; // The shift counts modulo 64.
            if (isKnownAbove)
            {
                return;
            }

            place >>= Bits;
        }
    }

    /// <summary>Takes out the first; -1 when there is none.</summary>
    public int TakeFirst()
    {
        if (_levels[^1][0] == 0)
        {
            return -1;
        }

        int first = 0;
        for (int level = _levels.Length - 1; level >= 0; level--)
        {
            first = (first << Bits) + BitOperations.TrailingZeroCount(_levels[level][first]);
        }

        int place = first;
        foreach (ulong[] level in _levels)
        {
            ref ulong word = ref level[place >> Bits];
            word &= ~(1UL << place);
            if (word != 0)
            {
                break;
            }

            place >>= Bits;
        }

        return first;
    }
}
