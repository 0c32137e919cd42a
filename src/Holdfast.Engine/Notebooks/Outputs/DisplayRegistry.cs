namespace Holdfast.Engine.Notebooks.Outputs;

/// <summary>
/// The displays of one notebook that have an id, over all its cells: an update reaches every output of that id, in whichever cell.
/// One for each notebook and kernel incarnation; used by the folds on one thread.
/// </summary>
public sealed class DisplayRegistry
{
    private readonly Dictionary<string, DisplayContent> _contents = new(StringComparer.Ordinal);

    /// <summary>
    /// The content that all outputs of this id share, now with one more in this fold, and replaced: a display that repeats an id updates
    /// the earlier ones too.
    /// </summary>
    internal DisplayContent Show(
        string displayId,
        OutputFold fold,
        byte[] bundle,
        byte[] metadata,
        Dictionary<string, OutputSpool>? spooled = null
    )
    {
        if (!_contents.TryGetValue(displayId, out DisplayContent? content))
        {
            content = new DisplayContent(displayId);
            _contents.Add(displayId, content);
        }

        content.AddUse(fold);
        content.Replace(bundle, metadata, spooled);
        return content;
    }

    /// <summary>False if no output of this id is on show, which is no error: the cell may have been cleared.</summary>
    internal bool Update(string displayId, byte[] bundle, byte[] metadata, Dictionary<string, OutputSpool>? spooled = null)
    {
        if (!_contents.TryGetValue(displayId, out DisplayContent? content))
        {
            return false;
        }

        content.Replace(bundle, metadata, spooled);
        return true;
    }

    internal void Forget(DisplayContent content, OutputFold fold)
    {
        if (content.DisplayId is { } displayId && content.RemoveUse(fold))
        {
            _ = _contents.Remove(displayId);
        }
    }
}
