using System.Globalization;

namespace Holdfast.Engine.Store;

/// <summary>
/// Brings a database to the program's schema, one migration per transaction. A crash leaves the schema of the last committed
/// migration, and the next start goes on from there. It never goes back, and never drops what it does not know.
/// </summary>
internal static class Migrator
{
    /// <summary>"HFST": names the file to file(1), and tells a foreign database from a new one.</summary>
    public const int ApplicationId = 0x48465354;

    /// <summary>Errors: <c>schema-too-new</c>, <c>store-corrupt</c> for a database of another program, and the store's own.</summary>
    public static void Migrate(StoreConnection connection, IReadOnlyList<Migration> migrations, string path)
    {
        IReadOnlyList<Migration> known = Migration.InOrder(migrations);
        long applicationId = connection.QueryInt64("PRAGMA application_id");
        long current = connection.QueryInt64("PRAGMA user_version");
        RefuseForeign(connection, applicationId, path);
        if (current > known.Count)
        {
            throw new StoreException(
                ErrorCodes.SchemaTooNew,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The database {path} has schema version {current}, and this program knows up to {known.Count}. It was written by a newer Holdfast: "
                ) + "start that version or a newer one, or give another data directory with --data. Nothing was changed."
            );
        }

        if (applicationId == 0)
        {
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {ApplicationId}"));
        }

        for (int i = (int)current; i < known.Count; i++)
        {
            Apply(connection, known[i]);
        }
    }

    private static void RefuseForeign(StoreConnection connection, long applicationId, string path)
    {
        bool isForeign =
            applicationId != ApplicationId && (applicationId != 0 || connection.QueryInt64("SELECT count(*) FROM sqlite_schema") > 0);
        if (isForeign)
        {
            throw new StoreException(
                ErrorCodes.StoreCorrupt,
                $"The file {path} is a database of another program. Move it away, or give another data directory with --data. Nothing was changed."
            );
        }
    }

    private static void Apply(StoreConnection connection, Migration migration)
    {
        // A migration that rebuilds a table must not fire ON DELETE actions on the way; SQLite allows the switch outside a transaction
        // only. The check before COMMIT makes up for it.
        connection.Execute("PRAGMA foreign_keys = OFF");
        connection.Execute("BEGIN IMMEDIATE");
        try
        {
            connection.Execute(migration.Sql);
            RequireOpenTransaction(connection, migration);
            RequireForeignKeys(connection, migration);
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {migration.Number}"));
            connection.Execute("COMMIT");
        }
        catch (Exception error)
        {
            if (connection.IsInTransaction)
            {
                connection.Execute("ROLLBACK");
            }

            if (error is StoreException failure)
            {
                throw new StoreException(
                    failure.Code,
                    $"Migration {migration.Name} failed and was rolled back. {failure.Message}",
                    failure.SqliteCode,
                    failure
                );
            }

            throw;
        }
        finally
        {
            connection.Execute("PRAGMA foreign_keys = ON");
        }
    }

    private static void RequireOpenTransaction(StoreConnection connection, Migration migration)
    {
        if (!connection.IsInTransaction)
        {
            throw new InvalidOperationException(
                $"Migration {migration.Name} ends its own transaction; it must hold no BEGIN, COMMIT or ROLLBACK."
            );
        }
    }

    private static void RequireForeignKeys(StoreConnection connection, Migration migration)
    {
        using Statement check = connection.Prepare("PRAGMA foreign_key_check");
        if (check.Step())
        {
            throw new InvalidOperationException(
                $"Migration {migration.Name} leaves a row of {check.Text(0)} whose parent in {check.Text(2)} is missing."
            );
        }
    }
}
