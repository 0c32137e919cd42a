namespace Holdfast.Engine.Reactive.Registration;

/// <summary>A row of reactive_cells: an edit that the file does not have, or a registration that its text does not say.</summary>
/// <param name="BasedOn">SHA-256 of the text in the file that <paramref name="Source"/> replaces.</param>
internal sealed record ReactiveCellRow(CellId Cell, string? Source, string? BasedOn, CellRegistration? Registered)
{
    public bool IsNeeded => Source is not null || Registered is not null;
}
