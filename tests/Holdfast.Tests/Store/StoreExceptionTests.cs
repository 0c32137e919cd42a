using Holdfast.Engine;
using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

/// <summary>What SQLite says is said on with what to do about it.</summary>
public sealed class StoreExceptionTests
{
    [Theory]
    [InlineData(
        Sqlite.CannotOpen,
        ErrorCodes.StoreFailed,
        "The database cannot be opened. Put the owner and the permissions of its file and folder right"
    )]
    [InlineData(Sqlite.ReadOnly, ErrorCodes.StoreFailed, "The database cannot be written.")]
    [InlineData(Sqlite.IoError, ErrorCodes.StoreFailed, "The disk of the database failed.")]
    [InlineData(Sqlite.Full, ErrorCodes.DiskFull, "There is no room left for the store;")]
    [InlineData(Sqlite.NotADatabase, ErrorCodes.StoreCorrupt, "The database is damaged or is not Holdfast's.")]
    public void A_failure_begins_with_what_to_do(int result, string code, string sentence)
    {
        var failure = StoreException.FromSqlite(0, result, "open /data/holdfast.db");

        Assert.Equal(code, failure.Code);
        Assert.StartsWith(sentence, failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("for: open /data/holdfast.db", failure.Message, StringComparison.Ordinal);
    }
}
