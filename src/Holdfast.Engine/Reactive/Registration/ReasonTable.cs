using System.Text.Json;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>
/// The reasons of many cells, each written once: the cells of one cycle share theirs, and there may be ten thousand of them.
/// </summary>
public sealed class ReasonTable
{
    private readonly Dictionary<BlockReason, int> _places = new(ReferenceEqualityComparer.Instance);
    private readonly List<BlockReason> _reasons = [];

    /// <summary>state; and, of a blocked cell, the first reason in a word, and all of them as places in the table.</summary>
    public void WriteState(Utf8JsonWriter writer, CellState state)
    {
        writer.WriteString("state", state.Name);
        if (!state.IsBlocked)
        {
            return;
        }

        writer.WriteString("reason", state.Reasons[0].KindName);
        writer.WriteStartArray("reasons");
        foreach (BlockReason reason in state.Reasons)
        {
            if (!_places.TryGetValue(reason, out int place))
            {
                place = _reasons.Count;
                _places.Add(reason, place);
                _reasons.Add(reason);
            }

            writer.WriteNumberValue(place);
        }

        writer.WriteEndArray();
    }

    public void Write(Utf8JsonWriter writer) => GraphJson.WriteReasons(writer, _reasons);
}
