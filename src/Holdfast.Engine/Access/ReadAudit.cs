using Holdfast.Engine.Store;

namespace Holdfast.Engine.Access;

/// <summary>Reads who did what, newest first.</summary>
public sealed class ReadAudit(StateStore store)
{
    public IReadOnlyList<AuditEntry> Run(AuditFilter filter) => store.Read(reader => AuditTable.List(reader, filter));
}
