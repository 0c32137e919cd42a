using System.Collections.Concurrent;

namespace Holdfast.Soak.Books;

/// <summary>The promises, by how they can be broken.</summary>
internal enum Fault
{
    Missing,
    Doubled,
    WronglyLost,
    WrongOutcome,
    WrongBytes,
    CallbackUntold,
    LockBroken,
    Stuck,
    LeftOver,
    Grown,
}

/// <summary>One kind of work: what was acknowledged, and what became of each.</summary>
internal sealed class Account(string name)
{
    private long _acknowledged;
    private long _finished;
    private long _cancelled;

    public string Name { get; } = name;
    public long Acknowledged => _acknowledged;

    /// <summary>With its own outcome.</summary>
    public long Finished => _finished;

    /// <summary>Somebody asked for its end.</summary>
    public long Cancelled => _cancelled;

    /// <summary>Lost, or stopped in its midst, by a cause that permits it.</summary>
    public ConcurrentDictionary<string, long> Lost { get; } = new();

    public bool IsBalanced => Acknowledged == Finished + Cancelled + Lost.Values.Sum();

    public void Acknowledge(int count = 1) => Interlocked.Add(ref _acknowledged, count);

    public void Finish() => Interlocked.Increment(ref _finished);

    public void Cancel() => Interlocked.Increment(ref _cancelled);

    public void Lose(string cause) => Lost.AddOrUpdate(cause, 1, static (_, count) => count + 1);
}

/// <summary>
/// What was acknowledged and what became of it, what was done to the house, and every promise that was broken. All write in it at once.
/// </summary>
internal sealed class Ledger
{
    private const int SentencesMax = 200;
    private readonly ConcurrentDictionary<Fault, long> _faults = new();
    private readonly ConcurrentDictionary<string, Account> _accounts = new();
    private long _bytesCompared;
    private long _bytesWrong;

    public IEnumerable<Account> Accounts => _accounts.Values.OrderBy(static a => a.Name, StringComparer.Ordinal);

    /// <summary>What was done to the house, by name.</summary>
    public ConcurrentDictionary<string, long> Deeds { get; } = new();

    /// <summary>What else was done: retries, pauses, callbacks told, and so on.</summary>
    public ConcurrentDictionary<string, long> Doings { get; } = new();

    public ConcurrentQueue<string> Sentences { get; } = new();
    public long BytesCompared => _bytesCompared;
    public long BytesWrong => _bytesWrong;
    public bool HasFaults => !_faults.IsEmpty;

    public Account Of(string work) => _accounts.GetOrAdd(work, static name => new Account(name));

    public long Count(Fault fault) => _faults.GetValueOrDefault(fault);

    public void Compared(long bytes, long wrong)
    {
        Interlocked.Add(ref _bytesCompared, bytes);
        Interlocked.Add(ref _bytesWrong, wrong);
    }

    public void Did(string what, long count = 1) => Doings.AddOrUpdate(what, count, (_, before) => before + count);

    public void Break(Fault fault, string sentence)
    {
        _faults.AddOrUpdate(fault, 1, static (_, count) => count + 1);
        if (Sentences.Count < SentencesMax)
        {
            Sentences.Enqueue($"{fault}: {sentence}");
            Console.Error.WriteLine($"! {fault}: {sentence}");
        }
    }
}
