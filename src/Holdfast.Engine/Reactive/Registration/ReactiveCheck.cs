using Holdfast.Engine.Notebooks;

namespace Holdfast.Engine.Reactive.Registration;

/// <summary>What a notebook has to be for its cells to be registered.</summary>
internal static class ReactiveCheck
{
    /// <summary>Before nbformat 4.5 no cell could be named, in an edit, a verdict or a plan.</summary>
    public static void ThrowIfCellsHaveNoIds(NotebookFile file)
    {
        if (!file.HasCellIds && file.Cells.Any(static c => c.IsCode))
        {
            throw new RefusedException(
                ErrorCodes.NotebookUnsupportedFormat,
                $"{file.Path} is of nbformat 4.{file.FormatMinor}, whose cells have no ids. Open and save it in a current Jupyter first."
            );
        }
    }

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
