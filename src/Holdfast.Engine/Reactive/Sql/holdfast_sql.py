"""What runs a %%sql cell inside its kernel. Lives as one module of the kernel's process, outside of the user's names; knows a connection for each place that cells name."""

import html
import os
import urllib.parse

OURS = ("duckdb", "sqlite")  # within the kernel: tables of Python are given to them, and results are kept in them
SERVERS = ("postgresql", "postgres")
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
    values = [_value(names, p) for p in parameters]
    if kind in OURS:
        # Placeholders of both are question marks, and a percent sign is one.
        query, values = "?".join(pieces), [_plain(v) if kind == "sqlite" else v for v in values]
    elif parameters:
        query = "%s".join(p.replace("%", "%%") for p in pieces)
    else:
        query = pieces[0]
    try:
        for source in sources:
            if kind in OURS and source != target and _is_table(names.get(source)):
                _load(kind, connection, source, names[source])
        table = _table(kind, connection, query, values, rows_max)
        if kind != "duckdb":
            connection.commit()
        if target and table.columns and kind in OURS:
            _load(kind, connection, target, table)
    except BaseException as error:
        _give_back(kind, connection, isinstance(error, Exception))
        if not isinstance(error, Exception) or isinstance(error, SqlError):
            raise
        raise SqlError(f"{type(error).__name__}: {_masked(str(error), dsn_variable)}") from None
    return table


def _table(kind, connection, query, values, rows_max):
    # A cursor of DuckDB's is a connection of its own, which does not see the temporary tables of another.
    cursor = connection if kind == "duckdb" else _cursor(kind, connection, query)
    try:
        cursor.execute(query, values) if values else cursor.execute(query)
        is_named = bool(getattr(cursor, "name", None))
        if cursor.description is None and not is_named:
            count = getattr(cursor, "rowcount", None)
            return Table([], [], None if count is None or count < 0 else f"{count} rows changed.")
        rows = cursor.fetchmany(rows_max + 1)
        notice = f"Only the first {rows_max} rows were fetched; %%sql --rows N says otherwise." if len(rows) > rows_max else None
        return Table(_distinct([d[0] for d in cursor.description or []]), rows[:rows_max], notice)
    finally:
        if cursor is not connection:
            cursor.close()


def _cursor(kind, connection, query):
    """For what only reads, a cursor of the server's: a client's would fetch every row, however few are wanted."""
    words = query.lstrip(" \t\r\n(").split(None, 1)
    is_read = bool(words) and words[0].lower() in ("select", "values", "table") and " into " not in query.lower()
    return connection.cursor("holdfast") if kind in SERVERS and is_read else connection.cursor()


def _give_back(kind, connection, is_usable):
    """After an error. A connection that is broken, or was interrupted, is forgotten: the next cell opens a new one."""
    try:
        if kind != "duckdb" and (is_usable or kind == "sqlite"):
            connection.rollback()
    except Exception:
        is_usable = False
    if kind in SERVERS and (not is_usable or getattr(connection, "closed", False)):
        for key in [k for k, (_, c) in _connections.items() if c is connection]:
            del _connections[key]
        try:
            connection.close()
        except Exception:
            pass


def forget(names):
    """Drops the tables that results were kept as."""
    for kind, connection in _connections.values():
        if kind in OURS:
            for name in names:
                connection.execute("DROP TABLE IF EXISTS temp." + _quoted(name))


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
    for hidden in sorted(_secrets(dsn), key=len, reverse=True):
        text = text.replace(hidden, "***")
    return text


def _secrets(dsn):
    """The DSN, and its password as it is written and as it is meant."""
    authority, _, query = dsn.partition("://")[2].partition("?")
    found = {dsn, authority.rpartition("@")[0].partition(":")[2]}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if any(word in name.lower() for word in ("pass", "pwd", "token", "secret", "key")):
            found.add(value)
    return {f for secret in found for f in (secret, urllib.parse.unquote(secret)) if f}


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
    if not columns:
        return
    rows = [tuple(_plain(v) for v in row) for row in rows]
    types = ["" if kind == "sqlite" else _duckdb_type([r[i] for r in rows]) for i in range(len(columns))]
    if kind == "duckdb":
        rows = [tuple(str(v) if t == "VARCHAR" and v is not None else v for v, t in zip(row, types)) for row in rows]
    connection.execute("DROP TABLE IF EXISTS temp." + _quoted(name))
    connection.execute("CREATE TEMP TABLE %s (%s)" % (_quoted(name), ", ".join(f"{_quoted(str(c))} {t}".strip() for c, t in zip(_distinct(columns), types))))
    if rows:
        connection.executemany("INSERT INTO temp.%s VALUES (%s)" % (_quoted(name), ", ".join("?" * len(columns))), rows)


def _quoted(name):
    return '"' + name.replace('"', '""') + '"'


def _distinct(columns):
    """Names that are each other's only in case, or not even in that, get a number: a row of the result is a dict, and a table has each once."""
    seen, distinct = set(), []
    for column in columns:
        name, number = str(column), 1
        while name.lower() in seen:
            number += 1
            name = f"{column}_{number}"
        seen.add(name.lower())
        distinct.append(name)
    return distinct


def _duckdb_type(values):
    """One type that holds all of them without loss."""
    kinds = {type(v) for v in values if v is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    if kinds and kinds <= {int, float}:
        return "DOUBLE"
    return "BLOB" if kinds == {bytes} else "VARCHAR"


def _plain(value):
    """As both databases take it; a number that is too large for them is its digits."""
    if hasattr(value, "item") and not isinstance(value, (bytes, str)):
        value = value.item()
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str, bytes)) else str(value)


def _text(value):
    return "NULL" if value is None else f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
