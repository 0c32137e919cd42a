"""The module that runs SQL cells, in a Python without a kernel: python3 sql_module.py MODULE. Says what is wrong, or nothing."""
import math
import os
import random
import sys
import types

module = types.ModuleType("_holdfast_sql")
exec(open(sys.argv[1], encoding="utf-8").read(), module.__dict__)
names = {}


def run(query, target=None, variable=None, rows=100):
    """A statement with its parameters between braces, as SqlCell has cut it."""
    pieces, parameters = [], []
    for i, part in enumerate(query.split("{")):
        if i:
            parameters.append(part.split("}")[0])
            part = part.split("}", 1)[1]
        pieces.append(part)
    sources = [w for w in query.replace(",", " ").split() if w in names]
    table = module.run(names, pieces, parameters, sources, target, variable, rows)
    if target:
        names[target] = table
    return table


def fails(query, variable=None):
    try:
        run(query, variable=variable)
    except module.SqlError as e:
        return str(e)
    raise AssertionError("no error of " + query)


def common():
    # Values are bound: no text ends a statement, whatever is in it.
    r = random.Random(1)
    for _ in range(300):
        value = "".join(r.choice("'\"\\;%?:$-/* \n\x00é{}x()") for _ in range(r.randrange(12))).replace("\x00", "")
        names["evil"] = value
        table = run("select {evil} as a, '%' as b, {evil} as c")
        assert [list(row.values()) for row in table] == [[value, "%", value]], (value, table)
    names["people"] = [{"name": "Ann", "age": 1, "weight": 1}, {"name": "Bo'b", "age": None, "weight": 2.5}]
    names["evil"] = "x'; drop table people; --"
    assert run("select * from people where name = {evil}") == []
    assert [row["weight"] for row in run("select weight from people order by 1", "heavy")] == [1, 2.5]
    assert [row["weight"] for row in run("select weight from heavy order by 1")] == [1, 2.5]
    few = run("select * from people", "few", rows=1)
    assert len(few) == 1 and few.notice.startswith("Only the first 1 rows"), few.notice
    assert list(run("select 1 as a, 2 as a, 3 as A")[0].values()) == [1, 2, 3]
    names["large"] = [{"n": 2**70}, {"n": 1}]
    assert sorted(str(row["n"]) for row in run("select n from large")) == ["1", str(2**70)]
    assert "SqlNameError" in type(error_of("select {nobody}")).__name__
    assert run("select 1 as a where 1 = 0").columns == ["a"]
    module.forget(["few"])
    fails("select * from gone_and_away")


def error_of(query):
    try:
        run(query)
    except Exception as e:
        return e


common()
assert next(iter(module._connections.values()))[0] == "sqlite"

# As far as names and shapes go, DuckDB's: its cursors are connections of their own, which do not see each other's temporary tables.
import sqlite3


class Connection:
    def __init__(self, path=":memory:"):
        self.inner = sqlite3.connect(path)
        self.found = None

    description = property(lambda self: self.found.description)

    def execute(self, query, values=()):
        self.found = self.inner.execute(query, values)
        return self

    def executemany(self, query, rows):
        self.found = self.inner.executemany(query, rows)
        return self

    def fetchmany(self, count):
        return self.found.fetchmany(count)

    def cursor(self):
        return Connection()


duckdb = types.ModuleType("duckdb")
duckdb.connect = Connection
sys.modules["duckdb"] = duckdb
module._connections.clear()
names.clear()
common()
assert next(iter(module._connections.values()))[0] == "duckdb"
assert module._duckdb_type([1, 2.5]) == "DOUBLE" and module._duckdb_type([True, None]) == "BOOLEAN" and module._duckdb_type([1, "a"]) == "VARCHAR" and module._duckdb_type([True, 1]) == "VARCHAR"

# A server that says the password in its complaints, and one that goes away.
opened = []


class Cursor:
    name = None
    description = [("a",)]
    rowcount = 1

    def __init__(self, connection):
        self.connection = connection

    def execute(self, query, values=()):
        self.connection.asked.append((query, values))
        if "break" in query:
            self.connection.closed = 1
            raise RuntimeError("server closed the connection")
        if "stop" in query:
            raise KeyboardInterrupt
        if "say" in query:
            raise RuntimeError("no luck with " + self.connection.dsn + " and p@ss/w and p%40ss%2Fw and qsecret")

    def fetchmany(self, count):
        return [(1,)] * count

    def close(self):
        pass


class Server:
    def __init__(self, dsn):
        if "nohost" in dsn:
            raise RuntimeError("cannot reach " + dsn)
        self.dsn, self.closed, self.asked = dsn, 0, []
        opened.append(self)

    def cursor(self, name=None):
        cursor = Cursor(self)
        cursor.name = name
        return cursor

    def commit(self):
        pass

    rollback = close = commit


psycopg = types.ModuleType("psycopg")
psycopg.connect = Server
sys.modules["psycopg"] = psycopg
os.environ["DSN"] = "postgresql://me:p%40ss%2Fw@host/db?sslpassword=qsecret"
os.environ["AWAY"] = "postgresql://me:hunter2@nohost/db"
os.environ["MISSPELT"] = "postgre://me:hunter2@host/db"
for text in (fails("say it", "DSN"), fails("select 1", "AWAY"), fails("select 1", "MISSPELT"), fails("select 1", "UNSET")):
    assert not any(secret in text for secret in ("p@ss", "p%40ss", "qsecret", "hunter2")), text
assert len(run("select 1", variable="DSN", rows=5)) == 5
names["k"] = "%s"
run("select '%', {k}", variable="DSN")
assert opened[0].asked[-1] == ("select '%%', %s", ["%s"]), opened[0].asked[-1]
assert len(opened) == 1
fails("break", "DSN")
run("select 1", variable="DSN")
assert len(opened) == 2
try:
    run("stop", variable="DSN")
    raise AssertionError("not interrupted")
except KeyboardInterrupt:
    pass
run("select 1", variable="DSN")
assert len(opened) == 3
