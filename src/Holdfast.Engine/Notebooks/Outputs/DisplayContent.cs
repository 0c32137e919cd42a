using Holdfast.Engine.Assets;

namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>What a display shows: its mime bundle and metadata as the kernel sent them, shared by the outputs of one display id.</summary>
internal sealed class DisplayContent(string? displayId)
{
    private readonly Dictionary<OutputFold, int> _uses = [];
    private readonly Dictionary<string, AssetMark> _kept = [];
    private Dictionary<string, OutputSpool> _spooled = [];

    public string? DisplayId { get; } = displayId;

    public byte[] Bundle { get; private set; } = [];

    public byte[] Metadata { get; private set; } = [];

    /// <summary>The types whose values are not in the bundle, as they are too large for a notebook.</summary>
    public IEnumerable<string> SpooledTypes => _spooled.Keys;

    public OutputSpool? SpooledAt(string type) => _spooled.GetValueOrDefault(type);

    public void Replace(byte[] bundle, byte[] metadata, Dictionary<string, OutputSpool>? spooled = null)
    {
        _spooled = spooled ?? [];
        Bundle = bundle;
        Metadata = metadata;
        _kept.Clear();
        foreach (OutputFold fold in _uses.Keys)
        {
            fold.Changed();
        }
    }

    /// <summary>Where the value of this type is kept, if it is.</summary>
    public AssetMark? KeptAt(string type) => _kept.GetValueOrDefault(type);

    /// <summary>Notes where a value of this very bundle is kept.</summary>
    public void Keep(byte[] bundle, string type, AssetMark mark)
    {
        if (ReferenceEquals(bundle, Bundle))
        {
            _kept[type] = mark;
        }
    }

    public void AddUse(OutputFold fold) => _uses[fold] = _uses.GetValueOrDefault(fold) + 1;

    /// <summary>True if that was the last use of all.</summary>
    public bool RemoveUse(OutputFold fold)
    {
        int left = _uses.GetValueOrDefault(fold) - 1;
        if (left > 0)
        {
            _uses[fold] = left;
        }
        else
        {
            _ = _uses.Remove(fold);
        }

        return _uses.Count == 0;
    }
}
