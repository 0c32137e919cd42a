using Holdfast.Protocol.Jupyter;

namespace Holdfast.Supervisor.Kernels;

/// <summary>The kernel's input_request that waits for its reply: whose request asked, and whether the answer is a password.</summary>
internal sealed class InputQuestion
{
    private byte[]? _asker;
    private bool _isSecret;

    public bool IsOpen => _asker is not null;

    public void Ask(ReadOnlySpan<byte> parentHeader, ReadOnlySpan<byte> content)
    {
        _asker = JupyterJson.TryGetRaw(parentHeader, "msg_id"u8, out ReadOnlySpan<byte> parent) ? parent.ToArray() : [];
        _isSecret = JupyterJson.IsTrue(content, "password"u8);
    }

    /// <summary>It is being answered. True when the answer is a secret.</summary>
    public bool Answer()
    {
        bool isSecret = _isSecret;
        Close();
        return isSecret;
    }

    /// <summary>A request has its reply. When it was the one that asked it no longer waits: it was interrupted.</summary>
    public void NoteReply(ReadOnlySpan<byte> parentHeader)
    {
        if (_asker is not null && JupyterJson.IsText(parentHeader, "msg_id"u8, _asker))
        {
            Close();
        }
    }

    private void Close()
    {
        _asker = null;
        _isSecret = false;
    }
}
