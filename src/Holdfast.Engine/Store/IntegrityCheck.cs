namespace Holdfast.Engine.Store;

/// <summary>
/// SQLite's own examination of the file, and of its foreign keys. For <c>holdfast doctor</c>; it reads everything, so it takes a while on a
/// large store.
/// </summary>
public static class IntegrityCheck
{
    private const int ProblemsMax = 100;

    /// <summary>The problems found, each a sentence of SQLite's; empty when there are none.</summary>
    public static IReadOnlyList<string> Run(StoreReader reader)
    {
        var problems = new List<string>();
        using (Statement integrity = reader.Prepare("PRAGMA integrity_check(100)"))
        {
            while (integrity.Step())
            {
                if (integrity.Text(0) is not "ok" and var problem)
                {
                    problems.Add(problem);
                }
            }
        }

        using Statement foreignKeys = reader.Prepare("PRAGMA foreign_key_check");
        while (foreignKeys.Step() && problems.Count < ProblemsMax)
        {
            problems.Add(
                $"row {foreignKeys.Int64OrNull(1)} of {foreignKeys.Text(0)} names a row of {foreignKeys.Text(2)} that does not exist"
            );
        }

        return problems;
    }

    /// <summary>
    /// Examines a store that no server has open. The caller holds the data directory's lock. A damaged file is a problem in the list, not
    /// an exception.
    /// </summary>
    public static IReadOnlyList<string> Run(string dataDirectory)
    {
        SqliteLibrary.Require();
        var options = new StoreOptions { Directory = dataDirectory, ReaderMax = 1 };
        if (!File.Exists(options.DatabasePath))
        {
            return [$"{options.DatabasePath} does not exist"];
        }

        using var readers = new ReaderPool(options);
        try
        {
            return readers.Read(Run);
        }
        catch (StoreException failure) when (failure.Code is ErrorCodes.StoreCorrupt or ErrorCodes.StoreFailed)
        {
            return [failure.Message];
        }
    }
}
