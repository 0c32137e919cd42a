using Holdfast.Engine.Kernels;
using Holdfast.Engine.Store;

namespace Holdfast.Engine.Sessions;

/// <summary>
/// The statements of the sessions table. A session whose kernel was stopped is over: it is kept until somebody asks for its end, who is
/// then told so.
/// </summary>
internal static class SessionsTable
{
    private const string Columns = "s.id, s.path, s.name, s.type, s.kernel_id, s.created_at, s.left_kernel_id";
    private const string HasKernel = "EXISTS (SELECT 1 FROM kernels k WHERE k.id = s.kernel_id AND k.state <> 'stopped')";

    public static void Insert(StoreTransaction transaction, Session session, string host)
    {
        using Statement insert = transaction
            .Prepare("INSERT INTO sessions (id, host, path, name, type, kernel_id, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
            .Bind(1, session.Id.Value)
            .Bind(2, host)
            .Bind(3, session.Path)
            .Bind(4, session.Name)
            .Bind(5, session.Type)
            .Bind(6, session.KernelId.Value)
            .Bind(7, session.CreatedAt);
        insert.Execute();
    }

    public static void Update(StoreTransaction transaction, Session session)
    {
        using Statement update = transaction
            .Prepare("UPDATE sessions SET path = ?2, name = ?3, type = ?4, kernel_id = ?5, left_kernel_id = ?6 WHERE id = ?1")
            .Bind(1, session.Id.Value)
            .Bind(2, session.Path)
            .Bind(3, session.Name)
            .Bind(4, session.Type)
            .Bind(5, session.KernelId.Value)
            .Bind(6, session.LeftKernelId?.Value);
        update.Execute();
    }

    public static void Delete(StoreTransaction transaction, SessionId id)
    {
        using Statement delete = transaction.Prepare("DELETE FROM sessions WHERE id = ?1").Bind(1, id.Value);
        delete.Execute();
    }

    /// <summary>Sessions of this path that are over make room for a new one.</summary>
    public static void DeleteOver(StoreTransaction transaction, string path)
    {
        using Statement delete = transaction
            .Prepare($"DELETE FROM sessions AS s WHERE path = ?1 AND left_kernel_id IS NULL AND NOT {HasKernel}")
            .Bind(1, path);
        delete.Execute();
    }

    /// <summary>Also one that is over.</summary>
    public static Session? Find(StoreReader reader, SessionId id) =>
        One(reader.Prepare($"SELECT {Columns} FROM sessions s WHERE s.id = ?1").Bind(1, id.Value));

    public static Session? OfPath(StoreReader reader, string path) =>
        One(
            reader
                .Prepare($"SELECT {Columns} FROM sessions s WHERE s.path = ?1 AND {HasKernel} ORDER BY s.created_at, s.id LIMIT 1")
                .Bind(1, path)
        );

    public static bool IsUsed(StoreReader reader, KernelId kernel)
    {
        using Statement select = reader.Prepare("SELECT 1 FROM sessions WHERE kernel_id = ?1 LIMIT 1").Bind(1, kernel.Value);
        return select.Step();
    }

    public static List<Session> Current(StoreReader reader) =>
        Many(reader.Prepare($"SELECT {Columns} FROM sessions s WHERE {HasKernel} ORDER BY s.created_at, s.id"));

    /// <summary>Those that have a new kernel and whose old one is still to be stopped.</summary>
    public static List<Session> Leaving(StoreReader reader) =>
        Many(reader.Prepare($"SELECT {Columns} FROM sessions s WHERE s.left_kernel_id IS NOT NULL ORDER BY s.id"));

    private static Session? One(Statement select)
    {
        using (select)
        {
            return select.Step() ? ReadRow(select) : null;
        }
    }

    private static List<Session> Many(Statement select)
    {
        using (select)
        {
            var rows = new List<Session>();
            while (select.Step())
            {
                rows.Add(ReadRow(select));
            }

            return rows;
        }
    }

    private static Session ReadRow(Statement row) =>
        new(new SessionId(row.Text(0)), row.Text(1), row.Text(2), row.Text(3), new KernelId(row.Text(4)), row.Int64(5))
        {
            LeftKernelId = row.TextOrNull(6) is { } left ? new KernelId(left) : null,
        };
}
