using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>
/// The tokens that are good now, in memory, so that a request is let in without asking the store. A token is found by its SHA-256: it has
/// 256 random bits, so that a plain hash cannot be undone, and how far a wrong guess agrees with a right hash tells nothing about the
/// token. Whatever hangs on a token is told when it ends.
/// </summary>
public sealed class TokenRing : IDisposable
{
    private const int CharactersMax = 512;
    private static readonly TimeSpan LookAtLeast = TimeSpan.FromDays(1); // A timer cannot be set for years.

    private readonly ConcurrentDictionary<string, Entry> _byHash = new();
    private readonly ConcurrentDictionary<string, Entry> _byId = new();
    private readonly TimeProvider _time;
    private readonly ITimer _expiry;

    public TokenRing(StateStore store, TimeProvider time)
    {
        _time = time;
        _expiry = time.CreateTimer(_ => EndExpired(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        foreach ((ApiToken token, byte[] hash) in store.Read(reader => TokensTable.Good(reader, time.NowMicroseconds())))
        {
            Put(token, hash);
        }

        SetTimer();
    }

    /// <summary>Null for a token that nobody has, or has no more.</summary>
    public Bearer? Find(ReadOnlySpan<char> given)
    {
        if (given.Length is 0 or > CharactersMax)
        {
            return null;
        }

        Span<byte> bytes = stackalloc byte[CharactersMax * 3];
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(given, bytes)], hash);
        return _byHash.TryGetValue(Convert.ToHexString(hash), out Entry? entry) && CryptographicOperations.FixedTimeEquals(hash, entry.Hash)
            ? IfGood(entry)
            : null;
    }

    /// <summary>For whoever has proven by other means that he had the token, such as a signed cookie.</summary>
    public Bearer? FindById(string id) => _byId.TryGetValue(id, out Entry? entry) ? IfGood(entry) : null;

    public void Dispose() => _expiry.Dispose();

    internal static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));

    /// <summary>After the commit.</summary>
    internal void Add(ApiToken token, byte[] hash)
    {
        Put(token, hash);
        SetTimer();
    }

    /// <summary>From here on nobody is let in by it, and whoever is in is put out.</summary>
    internal void Remove(string id)
    {
        if (_byId.TryRemove(id, out Entry? entry))
        {
            _ = _byHash.TryRemove(Convert.ToHexString(entry.Hash), out _);
            entry.PutOut(isOver: true);
        }
    }

    private void Put(ApiToken token, byte[] hash)
    {
        var entry = new Entry(token, hash);
        if (_byId.TryAdd(token.Id, entry))
        {
            _byHash[Convert.ToHexString(hash)] = entry;
        }
    }

    private Bearer? IfGood(Entry entry) => entry.Token.IsGoodAt(_time.NowMicroseconds()) ? entry.Bearer : null;

    private void EndExpired()
    {
        long now = _time.NowMicroseconds();
        foreach (Entry expired in _byId.Values.Where(e => !e.Token.IsGoodAt(now)))
        {
            expired.PutOut(isOver: false); // And kept: a clock that ran ahead for a while and is put right ends nobody's token.
        }

        SetTimer();
    }

    private void SetTimer()
    {
        long now = _time.NowMicroseconds();
        long? next = _byId.Values.Where(e => e.Token.IsGoodAt(now)).Min(static e => e.Token.ExpiresAt);
        TimeSpan due = next is null
            ? Timeout.InfiniteTimeSpan
            : TimeSpan.FromMicroseconds(Math.Clamp(next.Value - now, 0, (long)LookAtLeast.TotalMicroseconds));
        _ = _expiry.Change(due, Timeout.InfiniteTimeSpan);
    }

    private sealed class Entry
    {
        private readonly Lock _lock = new();
        private bool _isOver; // guarded by _lock, as is the next

        public Entry(ApiToken token, byte[] hash)
        {
            (Token, Hash) = (token, hash);
            Bearer = new Bearer(token.Id, token.Name, token.Scopes, Ended.Token);
        }

        private CancellationTokenSource Ended { get; set; } = new();
        public ApiToken Token { get; }
        public byte[] Hash { get; }
        public Bearer Bearer { get; private set; }

        /// <summary>Whoever is in by it now; and, when it is over, whoever has just found it.</summary>
        public void PutOut(bool isOver)
        {
            CancellationTokenSource ended;
            lock (_lock)
            {
                ended = Ended;
                if (!isOver && !_isOver)
                {
                    Ended = new CancellationTokenSource();
                    Bearer = new Bearer(Token.Id, Token.Name, Token.Scopes, Ended.Token);
                }

                _isOver |= isOver;
            }

            ended.Cancel();
        }
    }
}
