using FsCheck;
using FsCheck.Fluent;
using Holdfast.Engine.Recovery;

namespace Holdfast.Tests.Recovery;

/// <summary>The order of start-up's phases.</summary>
public sealed class RecoveryPlanTests
{
    [Fact]
    public void The_phases_of_this_product_have_an_order()
    {
        string[] order = [.. new RecoveryPlan(RecoveryPhases.Declared).Order.Select(static p => p.Name)];

        Assert.Equal(RecoveryPhases.Store, order[0]);
        Assert.True(
            Array.IndexOf(order, RecoveryPhases.Orphans) > Array.IndexOf(order, RecoveryPhases.Jobs),
            "Live work would be swept with the dead."
        );
        Assert.True(
            Array.IndexOf(order, RecoveryPhases.Orphans) > Array.IndexOf(order, RecoveryPhases.Kernels),
            "Live work would be swept with the dead."
        );
        Assert.True(
            Array.IndexOf(order, RecoveryPhases.Revivals) > Array.IndexOf(order, RecoveryPhases.Kernels),
            "What this server starts would be judged as left by another."
        );
        Assert.All(RecoveryPhases.Declared, static phase => Assert.EndsWith(".", phase.Mend, StringComparison.Ordinal));
    }

    [Fact]
    public void The_store_the_executions_and_the_queue_are_what_a_start_cannot_do_without() =>
        Assert.Equal(
            [RecoveryPhases.Store, RecoveryPhases.Executions, RecoveryPhases.Queue],
            RecoveryPhases.Declared.Where(static p => p.IsCritical).Select(static p => p.Name)
        );

    [Theory]
    [InlineData("come after one another in a circle: b, c", "a:", "b:c", "c:b")]
    [InlineData("in a circle: a", "a:a")]
    [InlineData("'a' comes after 'nobody'", "a:nobody")]
    [InlineData("'a' is declared twice", "a:", "a:")]
    public void A_plan_that_cannot_be_is_refused_when_it_is_made(string sentence, params string[] declared) =>
        Assert.Contains(sentence, Assert.Throws<ArgumentException>(() => Plan(declared)).Message, StringComparison.Ordinal);

    [Fact]
    public void Behind_a_phase_is_all_that_comes_after_it_directly_or_not() =>
        Assert.Equal(["b", "d"], Plan("a:", "b:a", "c:", "d:b,c").Behind("a").Select(static p => p.Name));

    /// <summary>
    /// Goal: any declaration without a circle has an order in which nobody comes before those it waits for. Method: phases wait only for
    /// such with a smaller number, and are declared shuffled.
    /// </summary>
    [Fact]
    public void Nobody_comes_before_those_it_waits_for() =>
        Check.QuickThrowOnFailure(
            Prop.ForAll<int, int>(
                (seed, size) =>
                {
                    var random = new Random(seed);
                    int count = Math.Abs(size % 12) + 1;
                    string[] declared =
                    [
                        .. Enumerable
                            .Range(0, count)
                            .Select(n => $"{n}:{string.Join(',', Enumerable.Range(0, n).Where(_ => random.Next(3) == 0))}"),
                    ];
                    random.Shuffle(declared);

                    IReadOnlyList<PhaseDeclaration> order = Plan(declared).Order;

                    var seen = new HashSet<string>();
                    return order.Count == count && order.All(phase => phase.After.All(seen.Contains) && seen.Add(phase.Name));
                }
            )
        );

    private static RecoveryPlan Plan(params string[] declared) =>
        new([
            .. declared
                .Select(static d => d.Split(':'))
                .Select(static d => new PhaseDeclaration(d[0], d[1].Split(',', StringSplitOptions.RemoveEmptyEntries), "Mend it.")),
        ]);
}
