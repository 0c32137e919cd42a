namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>What a display shows: its mime bundle and metadata as the kernel sent them, shared by the outputs of one display id.</summary>
internal sealed class DisplayContent(string? displayId)
{
    private readonly Dictionary<OutputFold, int> _uses = [];

    public string? DisplayId { get; } = displayId;

    public byte[] Bundle { get; private set; } = [];

    public byte[] Metadata { get; private set; } = [];

    public void Replace(byte[] bundle, byte[] metadata)
    {
        Bundle = bundle;
        Metadata = metadata;
        foreach (OutputFold fold in _uses.Keys)
        {
            fold.Changed();
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
