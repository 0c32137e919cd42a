"""How many rows each table of a store has, after its server has ended. One line each: name, count."""
import sqlite3
import sys

store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name").fetchall():
    print(name, store.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0])
