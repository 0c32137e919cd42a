namespace Holdfast.Engine.Kernels;

/// <summary>Names a kernel for as long as it is known, across its restarts. A UUID, because Jupyter's clients insist on one.</summary>
public readonly record struct KernelId(string Value)
{
    public static KernelId New() => new(Guid.CreateVersion7().ToString());

    public static KernelId Parse(string text) => Guid.TryParseExact(text, "D", out _) ? new KernelId(text) : throw NotFound(text);

    public static RefusedException NotFound(string text) =>
        new(ErrorCodes.KernelNotFound, $"There is no kernel '{text}'. 'holdfast kernels' lists those there are.");

    public override string ToString() => Value;
}
