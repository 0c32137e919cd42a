"""Fills the store of a stopped server: fill_store.py DATABASE finished|waiters COUNT [LOCKS]. For benches; the schema is that of docs/spec/store-schema.md."""
import sqlite3
import sys

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def ulid(number, moment="0"):
    text = ""
    for _ in range(16):
        text = LETTERS[number & 31] + text
        number >>= 5
    return "01kcq8v6t" + moment + text


def finished(db, count):
    now = db.execute("SELECT CAST(unixepoch() AS INTEGER) * 1000000").fetchone()[0]
    db.executemany(
        "INSERT INTO executions (id, host, kind, state, queue, request, created_at, attempt, attempt_id, started_at, finished_at, exit_code, cause, reason, output_bytes) "
        "VALUES (?, 'bench', 'job', 'succeeded', 'default', '{\"argv\":[\"true\"]}', ?, 1, ?, ?, ?, 0, 'exited', 'It exited with 0.', 0)",
        ((ulid(2 * n), now - n, ulid(2 * n + 1), now - n, now - n) for n in range(count)))
    db.executemany(
        "INSERT INTO attempts (id, host, boot_id, execution_id, nonce, created_at, ended_at, verdict) VALUES (?, 'bench', 'bench', ?, 'n', ?, ?, 'succeeded')",
        ((ulid(2 * n + 1), ulid(2 * n), now - n, now - n) for n in range(count)))
    db.executemany(
        "INSERT INTO feed (at, kind, subject, body) VALUES (?, 'execution.succeeded', ?, '{}')", ((now - n, ulid(2 * n)) for n in range(count)))


def waiters(db, count, locks):
    """Nobody was granted anything, as after a crash in the middle: the first of every line is to be found."""
    now = db.execute("SELECT CAST(unixepoch() AS INTEGER) * 1000000").fetchone()[0]
    for n in range(count):
        place = db.execute("INSERT INTO lock_entries (execution_id, entered_at) VALUES (?, ?)", (ulid(n, "1"), now)).lastrowid
        for name in {n % locks, (n * 7 + 3) % locks}:
            db.execute("INSERT INTO lock_claims (name, place) VALUES (?, ?)", ("lock %d" % name, place))
        db.execute(
            "INSERT INTO executions (id, host, kind, state, queue, request, created_at) VALUES (?, 'bench', 'job', 'waiting', 'default', '{\"argv\":[\"sleep\",\"100000\"]}', ?)",
            (ulid(n, "1"), now))


database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA synchronous = OFF")
with database:
    if sys.argv[2] == "finished":
        finished(database, int(sys.argv[3]))
    else:
        waiters(database, int(sys.argv[3]), int(sys.argv[4]))
database.close()
