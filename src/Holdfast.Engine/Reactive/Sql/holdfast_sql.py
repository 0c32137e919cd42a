"""What runs a %%sql cell inside its kernel. Lives as one module of the kernel's process, outside of the user's names; knows a connection for each place that cells name."""

import html
import os

ROWS_MAX = 10_000
_connections = {}


class SqlError(Exception):
    """A database's complaint, without anything that the DSN may hold, and without our own code around it."""

    def _render_traceback_(self):
        return [f"{type(self).__name__}: {self}"]


class SqlNameError(SqlError, NameError):
    """A parameter that Python does not have."""


class Table(list):
    """The rows of a result: a list of dicts that knows its columns."""

    def __init__(self, columns, rows, notice=None):
        super().__init__(dict(zip(columns, row)) for row in rows)
        self.columns = list(columns)
        self.notice = notice

    def df(self):
        import pandas

        return pandas.DataFrame(list(self), columns=self.columns)

    def __repr__(self):
        shown = [[_text(row[c]) for c in self.columns] for row in self[:20]]
        widths = [max(len(line[i]) for line in [self.columns, *shown]) for i in range(len(self.columns))]
        lines = ["  ".join(cell.ljust(w) for cell, w in zip(line, widths)).rstrip() for line in [self.columns, *shown]]
        if len(self) > len(shown):
            lines.append(f"... {len(self)} rows")
        return "\n".join(lines + ([self.notice] if self.notice else []))

    def _repr_html_(self):
        head = "".join(f"<th>{html.escape(c)}</th>" for c in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{html.escape(_text(row[c]))}</td>" for c in self.columns) + "</tr>" for row in self[:100])
        rest = f"<p>{len(self)} rows</p>" if len(self) > 100 else ""
        notice = f"<p>{html.escape(self.notice)}</p>" if self.notice else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{rest}{notice}"


def run(names, pieces, parameters, sources, target, dsn_variable, rows_max):
    """Runs one statement with its parameters bound, and keeps the result as a table under the target's name."""
    kind, connection = _connect(dsn_variable)
    for source in sources:
        if source != target and _is_table(names.get(source)):
            _load(kind, connection, source, names[source])
    marker = {"duckdb": "?", "sqlite": "?"}.get(kind, "%s")
    query = marker.join(p if marker == "?" else p.replace("%", "%%") for p in pieces) if parameters or marker == "?" else pieces[0]
    values = [_value(names, p) for p in parameters]
    cursor = connection.cursor()
    try:
        cursor.execute(query, values) if values else cursor.execute(query)
        if cursor.description is None:
            table = Table([], [], None if cursor.rowcount is None or cursor.rowcount < 0 else f"{cursor.rowcount} rows changed.")
        else:
            rows = cursor.fetchmany(rows_max + 1)
            notice = f"Only the first {rows_max} rows were fetched; %%sql --rows N says otherwise." if len(rows) > rows_max else None
            table = Table([d[0] for d in cursor.description], rows[:rows_max], notice)
        if kind != "duckdb":
            connection.commit()
    except Exception as error:
        if kind != "duckdb":
            connection.rollback()
        raise SqlError(f"{type(error).__name__}: {_masked(str(error), dsn_variable)}") from None
    finally:
        cursor.close()
    if target and table.columns and kind in ("duckdb", "sqlite"):
        _load(kind, connection, target, table)
    return table


def forget(names):
    """Drops the tables that results were kept as."""
    for kind, connection in _connections.values():
        if kind in ("duckdb", "sqlite"):
            for name in names:
                connection.execute('DROP TABLE IF EXISTS temp."' + name.replace('"', '""') + '"')


def _connect(dsn_variable):
    variable = dsn_variable or "HOLDFAST_SQL_DSN"
    dsn = os.environ.get(variable)
    if dsn_variable and not dsn:
        raise SqlError(f"The variable {dsn_variable} is not set in the kernel's environment.")
    if (variable, dsn) not in _connections:
        try:
            _connections[variable, dsn] = _open(dsn)
        except Exception as error:
            where = f"by the DSN in {variable}" if dsn else "within the kernel"
            raise SqlError(f"No database could be opened {where}: {type(error).__name__}: {_masked(str(error), dsn_variable)}") from None
    return _connections[variable, dsn]


def _open(dsn):
    if not dsn:
        try:
            import duckdb

            return "duckdb", duckdb.connect(":memory:")
        except ImportError:
            dsn = "sqlite:///:memory:"
    scheme, _, rest = dsn.partition("://")
    if scheme == "sqlite":
        import sqlite3

        return "sqlite", sqlite3.connect(rest[1:] if rest.startswith("/") else rest)
    if scheme == "duckdb":
        import duckdb

        return "duckdb", duckdb.connect(rest[1:] if rest.startswith("/") else rest)
    if scheme in ("postgresql", "postgres"):
        try:
            import psycopg
        except ImportError:
            import psycopg2 as psycopg
        return scheme, psycopg.connect(dsn)
    raise SqlError("Known are sqlite:///FILE, duckdb:///FILE and postgresql://...")


def _masked(text, dsn_variable):
    dsn = os.environ.get(dsn_variable or "HOLDFAST_SQL_DSN") or ""
    secret = dsn.partition("://")[2].partition("@")[0].partition(":")[2]
    for hidden in (dsn, secret):
        text = text.replace(hidden, "***") if hidden else text
    return text


def _value(names, expression):
    try:
        return names[expression] if expression in names else eval(expression, dict(names))
    except NameError as error:
        raise SqlNameError(str(error)) from None


def _is_table(value):
    return isinstance(value, Table) or (isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)) or hasattr(value, "itertuples")


def _load(kind, connection, name, value):
    """Makes a table of Python rows: what a cell has under a name, the next may ask by that name."""
    if hasattr(value, "itertuples"):
        columns, rows = [str(c) for c in value.columns], [tuple(r) for r in value.itertuples(index=False)]
    else:
        columns = value.columns if isinstance(value, Table) else list(dict.fromkeys(c for row in value for c in row))
        rows = [tuple(row.get(c) for c in columns) for row in value]
    if kind not in ("duckdb", "sqlite") or not columns:
        return
    quoted = ", ".join('"' + c.replace('"', '""') + '"' + ("" if kind == "sqlite" else f" {_duckdb_type(rows, i)}") for i, c in enumerate(columns))
    cursor = connection.cursor()
    cursor.execute(f'DROP TABLE IF EXISTS temp."{name}"')
    cursor.execute(f'CREATE TEMP TABLE "{name}" ({quoted})')
    if rows:
        cursor.executemany(f'INSERT INTO temp."{name}" VALUES ({", ".join("?" * len(columns))})', [tuple(_plain(v) for v in r) for r in rows])
    cursor.close()


def _duckdb_type(rows, column):
    value = next((r[column] for r in rows if r[column] is not None), None)
    kinds = ((bool, "BOOLEAN"), (int, "BIGINT"), (float, "DOUBLE"), (bytes, "BLOB"))
    return next((name for kind, name in kinds if isinstance(value, kind)), "VARCHAR")


def _plain(value):
    return value if value is None or isinstance(value, (bool, int, float, str, bytes)) else value.item() if hasattr(value, "item") else str(value)


def _text(value):
    return "NULL" if value is None else f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
