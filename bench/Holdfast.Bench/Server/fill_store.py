"""Fills the store of a stopped server: fill_store.py DATABASE finished|waiters|callbacks COUNT [LOCKS]. For benches; the schema is that of docs/spec/store-schema.md."""
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


def callbacks(db, count):
    """Outcomes that a hundred receivers, who are not there, are still to be told of: pending for the most part, some cut off in the middle of an attempt."""
    now = db.execute("SELECT CAST(unixepoch() AS INTEGER) * 1000000").fetchone()[0]
    for n in range(count):
        sending = n % 10 == 0
        sequence = db.execute(
            "INSERT INTO callbacks (id, host, kind, subject_id, lane, url, schedule, state, failures, attempts, due_at, type, body, created_at) "
            "VALUES (?, 'bench', 'execution', ?, ?, ?, '[3600,3600,3600]', ?, 1, 2, ?, 'execution.succeeded', CAST('{}' AS BLOB), ?)",
            (ulid(n, "2"), ulid(2 * n), "http://127.0.0.1:9#%d" % (n % 100), "http://127.0.0.1:9/%d" % (n % 100), "sending" if sending else "pending", now + 3600 * 1000000, now)).lastrowid
        db.execute("INSERT INTO callback_attempts (callback_seq, number, started_at, finished_at, error) VALUES (?, 1, ?, ?, 'refused')", (sequence, now - 2, now - 1))
        db.execute("INSERT INTO callback_attempts (callback_seq, number, started_at, finished_at) VALUES (?, 2, ?, ?)", (sequence, now, None if sending else now))


database = sqlite3.connect(sys.argv[1])
database.execute("PRAGMA synchronous = OFF")
with database:
    if sys.argv[2] == "finished":
        finished(database, int(sys.argv[3]))
    elif sys.argv[2] == "callbacks":
        callbacks(database, int(sys.argv[3]))
    else:
        waiters(database, int(sys.argv[3]), int(sys.argv[4]))
database.close()
