using Holdfast.Engine;
using Holdfast.Engine.Store;

namespace Holdfast.Tests.Store;

public class SqliteLibraryTests
{
    [Fact]
    public void A_missing_library_is_named_with_its_remedy()
    {
        StoreException error = Assert.Throws<StoreException>(() => SqliteLibrary.Require("libsqlite3-not-here.so.0"));

        Assert.Equal(ErrorCodes.SqliteMissing, error.Code);
        Assert.Contains("apt-get install libsqlite3-0", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_version_is_known() => Assert.Matches(@"^3\.\d+\.\d+$", StateStore.SqliteVersion);
}
