namespace Holdfast.Server.Jupyter.Events;

/// <summary>Tells subscribers what clients post. Handlers only take note.</summary>
internal sealed class EventBoard
{
    public event Action<byte[]>? Posted;

    public void Post(byte[] text) => Posted?.Invoke(text);
}
