using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>What a notebook has to be for its cells to be registered.</summary>
internal static class ReactiveCheck
{
    public static void ThrowIfNotReactive(ReactiveNotebook notebook)
    {
        if (!notebook.IsReactive)
        {
            throw new RefusedException(
                ErrorCodes.NotebookNotReactive,
                $"{notebook.Path} is a linear notebook. Make it reactive first: PATCH /v1/notebooks with {{\"mode\":\"reactive\"}}, or 'holdfast notebook mode {notebook.Path} reactive'."
            );
        }
    }
}
