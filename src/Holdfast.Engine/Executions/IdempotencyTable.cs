using Holdfast.Engine.Store;

namespace Holdfast.Engine.Executions;

/// <summary>The statements of the idempotency table: which execution a caller's key already made, and from what body.</summary>
internal static class IdempotencyTable
{
    public static (ExecutionId Id, byte[] BodyHash)? Find(StoreReader reader, string key)
    {
        using Statement select = reader.Prepare("SELECT execution_id, body_hash FROM idempotency WHERE key = ?1").Bind(1, key);
        return select.Step() ? (new ExecutionId(select.Text(0)), select.Blob(1)) : null;
    }

    public static void Insert(StoreTransaction transaction, string key, byte[] bodyHash, ExecutionId id, long at)
    {
        using Statement insert = transaction
            .Prepare("INSERT INTO idempotency (key, body_hash, execution_id, created_at) VALUES (?1, ?2, ?3, ?4)")
            .Bind(1, key)
            .Bind(2, (ReadOnlySpan<byte>)bodyHash)
            .Bind(3, id.Value)
            .Bind(4, at);
        insert.Execute();
    }
}
