using System.Text;
using Holdfast.Engine;
using Holdfast.Engine.Access;
using Holdfast.Tests.Executions;

namespace Holdfast.Tests.Access;

/// <summary>Tokens: made, known by their hash alone, ended by revocation or by time, and never giving more than their maker had.</summary>
public sealed class TokenTests : IAsyncDisposable
{
    private readonly TemporaryLedger _house = new();
    private readonly TokenRing _ring;
    private readonly CreateToken _create;
    private readonly RevokeToken _revoke;

    public TokenTests()
    {
        _ring = new TokenRing(_house.Store, _house.Clock);
        _create = new CreateToken(_house.Store, _ring, _house.Clock);
        _revoke = new RevokeToken(_house.Store, _ring, _house.Clock);
        Actor.Current = new Actor("main", "main", "127.0.0.1");
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync()
    {
        _ring.Dispose();
        return _house.DisposeAsync();
    }

    [Fact]
    public async Task A_token_is_good_at_once_and_for_the_next_server_too()
    {
        CreatedToken created = await CreateAsync("ci", AccessScopes.Read | AccessScopes.Run);

        Bearer bearer = _ring.Find(created.Text)!;
        Assert.Equal(("ci", AccessScopes.Read | AccessScopes.Run, created.Token.Id), (bearer.Name, bearer.Scopes, bearer.TokenId));
        using var next = new TokenRing(_house.Store, _house.Clock);
        Assert.Equal("ci", next.Find(created.Text)!.Name);
        Assert.Equal("ci", next.FindById(created.Token.Id)!.Name);
        foreach (
            string wrong in (string[])["", "x", created.Text + "x", created.Text[..^1], created.Text.ToUpperInvariant(), new('a', 100_000)]
        )
        {
            Assert.Null(next.Find(wrong));
        }
    }

    [Fact]
    public async Task Nothing_that_is_stored_has_the_token_in_it()
    {
        CreatedToken created = await CreateAsync("secret", AccessScopes.All);
        foreach (string file in Directory.EnumerateFiles(_house.Directory, "*", SearchOption.AllDirectories))
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            Assert.DoesNotContain(created.Text[3..], await reader.ReadToEndAsync(Cancel), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Revocation_ends_what_hangs_on_a_token()
    {
        CreatedToken created = await CreateAsync("ci", AccessScopes.Read);
        Bearer bearer = _ring.Find(created.Text)!;
        Assert.False(bearer.Ended.IsCancellationRequested);

        ApiToken revoked = await _revoke.RunAsync("ci", "it leaked", Cancel);

        Assert.True(bearer.Ended.IsCancellationRequested);
        Assert.Null(_ring.Find(created.Text));
        Assert.Null(_ring.FindById(created.Token.Id));
        using var next = new TokenRing(_house.Store, _house.Clock);
        Assert.Null(next.Find(created.Text));
        Assert.Equal(("revoked", "it leaked"), (revoked.StateAt(_house.Clock.NowMicroseconds()), revoked.RevokeReason));
        Assert.Equal(revoked, await _revoke.RunAsync(created.Token.Id, "again", Cancel));
        Assert.Equal(
            ErrorCodes.TokenNotFound,
            (await Assert.ThrowsAsync<RefusedException>(() => _revoke.RunAsync("ci", null, Cancel))).Code
        );
        Assert.Equal(
            ErrorCodes.InvalidRequest,
            (await Assert.ThrowsAsync<RefusedException>(() => _revoke.RunAsync("main", null, Cancel))).Code
        );
    }

    [Fact]
    public async Task A_token_ends_by_time_also_on_what_is_open()
    {
        CreatedToken brief = await CreateAsync("brief", AccessScopes.Read, TimeSpan.FromHours(1));
        CreatedToken lasting = await CreateAsync("lasting", AccessScopes.Read, TimeSpan.FromDays(400));
        Bearer first = _ring.Find(brief.Text)!;
        Bearer second = _ring.Find(lasting.Text)!;

        _house.Clock.Turn(TimeSpan.FromMinutes(59));
        Assert.False(first.Ended.IsCancellationRequested);
        _house.Clock.Turn(TimeSpan.FromMinutes(1));
        Assert.True(first.Ended.IsCancellationRequested);
        Assert.Null(_ring.Find(brief.Text));
        _house.Clock.Turn(TimeSpan.FromDays(398));
        Assert.NotNull(_ring.Find(lasting.Text));
        _house.Clock.Turn(TimeSpan.FromDays(3));
        Assert.True(second.Ended.IsCancellationRequested);
    }

    [Fact]
    public async Task Nobody_gives_what_he_has_not()
    {
        var by = new Bearer("x", "half", AccessScopes.Manage | AccessScopes.Read, CancellationToken.None);
        RefusedException refused = await Assert.ThrowsAsync<RefusedException>(() =>
            _create.RunAsync(new NewToken("a", AccessScopes.Run, null), by, Cancel)
        );
        Assert.Equal(ErrorCodes.ForbiddenScope, refused.Code);
        Assert.Equal("half", (await _create.RunAsync(new NewToken("a", AccessScopes.Read, null), by, Cancel)).Token.CreatedBy);
    }

    [Theory]
    [InlineData("")]
    [InlineData("main")]
    [InlineData(" a")]
    [InlineData("a\nb")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123x")]
    public async Task A_name_is_short_and_plain_and_not_the_main_one_s(string name) =>
        Assert.Equal(
            ErrorCodes.InvalidRequest,
            (await Assert.ThrowsAsync<RefusedException>(() => CreateAsync(name, AccessScopes.Read))).Code
        );

    [Fact]
    public async Task Two_good_tokens_never_share_a_name()
    {
        await CreateAsync("ci", AccessScopes.Read, TimeSpan.FromHours(1));
        Assert.Equal(
            ErrorCodes.TokenNameTaken,
            (await Assert.ThrowsAsync<RefusedException>(() => CreateAsync("ci", AccessScopes.Read))).Code
        );
        _house.Clock.Turn(TimeSpan.FromHours(2));
        await CreateAsync("ci", AccessScopes.Read);
    }

    [Fact]
    public async Task Making_and_ending_a_token_are_on_record_with_who_did_it()
    {
        CreatedToken created = await CreateAsync("ci", AccessScopes.Read);
        await _revoke.RunAsync("ci", "done", Cancel);
        IReadOnlyList<AuditEntry> entries = new ReadAudit(_house.Store).Run(new AuditFilter { Subject = created.Token.Id });
        Assert.Equal([("RevokeToken", "ci: done"), ("CreateToken", "ci: read")], entries.Select(static e => (e.Operation, e.Reason!)));
        Assert.All(entries, static e => Assert.Equal(("main", "127.0.0.1"), (e.TokenName, e.Remote)));
        Assert.Empty(new ReadAudit(_house.Store).Run(new AuditFilter { Token = "nobody" }));
    }

    [Fact]
    public async Task What_the_server_does_by_itself_is_not_on_record_and_what_fails_is_not_either()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            _house.Store.WriteAsync(
                transaction =>
                {
                    AuditTable.Record(transaction, 1, "Failed", "x");
                    throw new InvalidOperationException();
                },
                Cancel
            )
        );
        Actor.Current = null;
        await _house.Store.WriteAsync(static transaction => AuditTable.Record(transaction, 1, "Own", "x"), Cancel);
        Assert.Empty(new ReadAudit(_house.Store).Run(new AuditFilter()));
    }

    [Fact]
    public void Scopes_are_named_and_none_is_not_enough()
    {
        Assert.Equal(AccessScopes.Read | AccessScopes.Manage, AccessScopeNames.Parse(["manage", "read"]));
        Assert.Equal(["read", "run", "manage"], AccessScopes.All.List());
        Assert.Throws<RefusedException>(() => AccessScopeNames.Parse([]));
        Assert.Throws<RefusedException>(() => AccessScopeNames.Parse(["write"]));
        Assert.Throws<RefusedException>(() => AccessScopeNames.Parse(null));
    }

    private Task<CreatedToken> CreateAsync(string name, AccessScopes scopes, TimeSpan? life = null) =>
        _create.RunAsync(new NewToken(name, scopes, life), Bearer.Main, Cancel);
}
