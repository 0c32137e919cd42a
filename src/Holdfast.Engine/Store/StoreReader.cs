namespace Holdfast.Engine.Store;

/// <summary>What a query works with: one snapshot of the committed state, for the time of the call. Not to be kept beyond it.</summary>
public class StoreReader
{
    private protected StoreReader(StoreConnection connection) => Connection = connection;

    internal StoreConnection Connection { get; }

    /// <summary>Rents the prepared statement for this text; a literal is compiled once per connection.</summary>
    public Statement Prepare(string sql) => Connection.Prepare(sql);

    internal static StoreReader Over(StoreConnection connection) => new(connection);
}
