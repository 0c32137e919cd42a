namespace Holdfast.Engine.Recovery;

/// <summary>
/// The order of the phases of start-up, from what each says it comes after. Pure, and whole or not at all: a phase that comes after itself,
/// or after one that nobody declares, is a mistake in the program and refused when the plan is made.
/// </summary>
public sealed class RecoveryPlan
{
    private readonly Dictionary<string, PhaseDeclaration> _byName = new(StringComparer.Ordinal);

    public RecoveryPlan(IReadOnlyList<PhaseDeclaration> declared)
    {
        foreach (PhaseDeclaration phase in declared)
        {
            if (!_byName.TryAdd(phase.Name, phase))
            {
                throw new ArgumentException($"The phase '{phase.Name}' is declared twice.", nameof(declared));
            }
        }

        foreach (PhaseDeclaration phase in declared)
        {
            if (phase.After.FirstOrDefault(name => !_byName.ContainsKey(name)) is { } unknown)
            {
                throw new ArgumentException($"The phase '{phase.Name}' comes after '{unknown}', which nobody declares.", nameof(declared));
            }
        }

        Order = Sort(declared);
    }

    /// <summary>Every phase after those that it comes after; beyond that as declared.</summary>
    public IReadOnlyList<PhaseDeclaration> Order { get; }

    public PhaseDeclaration? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>Whatever comes after a phase, directly or not, in order.</summary>
    public IReadOnlyList<PhaseDeclaration> Behind(string name)
    {
        HashSet<string> reached = [name];
        var behind = new List<PhaseDeclaration>();
        foreach (PhaseDeclaration phase in Order.Where(phase => phase.After.Any(reached.Contains)))
        {
            reached.Add(phase.Name);
            behind.Add(phase);
        }

        return behind;
    }

    private static List<PhaseDeclaration> Sort(IReadOnlyList<PhaseDeclaration> declared)
    {
        var left = new List<PhaseDeclaration>(declared);
        var placed = new HashSet<string>(StringComparer.Ordinal);
        var order = new List<PhaseDeclaration>(declared.Count);
        while (left.Count > 0)
        {
            PhaseDeclaration next =
                left.Find(phase => phase.After.All(placed.Contains))
                ?? throw new ArgumentException(
                    $"These phases come after one another in a circle: {string.Join(", ", left.Select(static p => p.Name))}.",
                    nameof(declared)
                );
            left.Remove(next);
            placed.Add(next.Name);
            order.Add(next);
        }

        return order;
    }
}
