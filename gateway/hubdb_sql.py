"""The tables of the hub database and every statement on them."""

from gateway.notify import answers_sql, outbox_sql, pages_sql

STEPS = [
    [
        """CREATE TABLE loss (
            tenant TEXT NOT NULL, gw TEXT NOT NULL, stream INTEGER NOT NULL, block INTEGER NOT NULL, n INTEGER NOT NULL,
            first INTEGER, last INTEGER, body BLOB NOT NULL, UNIQUE (tenant, gw, stream, block, n))""",
        """CREATE TABLE event (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            tenant TEXT NOT NULL, gw TEXT NOT NULL, stream INTEGER NOT NULL, block INTEGER NOT NULL, n INTEGER NOT NULL,
            closed INTEGER NOT NULL, body BLOB NOT NULL, UNIQUE (tenant, gw, stream, block, n))""",
        """CREATE TABLE untimed (
            tenant TEXT NOT NULL, gw TEXT NOT NULL, stream INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL,
            UNIQUE (tenant, stream, seq, gw))""",
        """CREATE TABLE covered (
            tenant TEXT NOT NULL, gw TEXT NOT NULL, stream INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, PRIMARY KEY (tenant, stream, gw, last)) WITHOUT ROWID""",
        """CREATE TABLE meter (
            tenant TEXT NOT NULL, meter TEXT NOT NULL, gw TEXT NOT NULL, commodity TEXT NOT NULL, info BLOB NOT NULL,
            PRIMARY KEY (tenant, meter)) WITHOUT ROWID""",
        "CREATE INDEX meter_of_gateway ON meter (tenant, gw)",
        """CREATE TABLE dead_letter (
            id INTEGER PRIMARY KEY, reason TEXT NOT NULL, topic TEXT NOT NULL, name BLOB NOT NULL, correlation BLOB,
            payload BLOB NOT NULL, at INTEGER NOT NULL, count INTEGER NOT NULL, UNIQUE (topic, name, reason))""",
        "CREATE TABLE counter (name TEXT PRIMARY KEY, n INTEGER NOT NULL)",
        "INSERT INTO counter VALUES ('dropped_letters', 0)",
    ],
    outbox_sql.TABLES,
    answers_sql.TABLES,
    pages_sql.TABLES,
]

ADD_LOSS = "INSERT INTO loss VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
LOSSES = "SELECT tenant, gw, body FROM loss WHERE ? IS NULL OR tenant = ? ORDER BY rowid DESC LIMIT ?"
LOST_RANGES = """SELECT first, last FROM loss
    WHERE tenant = ? AND stream = ? AND first IS NOT NULL AND last IS NOT NULL"""

ADD_EVENT = """INSERT INTO event (tenant, gw, stream, block, n, closed, body) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO NOTHING"""
EVENTS = "SELECT id, tenant, gw, body FROM event WHERE id > ? ORDER BY id LIMIT ?"

ADD_UNTIMED = "INSERT INTO untimed VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
UNTIMED = "SELECT body FROM untimed WHERE tenant = ? AND stream = ? ORDER BY seq"

# Ranges lie apart, so those at or near a new one are found by their last number alone.
NEAR = "SELECT first, last FROM covered WHERE tenant = ? AND gw = ? AND stream = ? AND last >= ? AND first <= ?"
UNCOVER = "DELETE FROM covered WHERE tenant = ? AND gw = ? AND stream = ? AND last >= ? AND last <= ?"
COVER = "INSERT INTO covered (tenant, gw, stream, first, last) VALUES (?, ?, ?, ?, ?)"
COVERED = "SELECT gw, first, last FROM covered WHERE tenant = ? AND stream = ?"

# Of a fleet most streams are one range from the first number on: nothing of those can be missing.
UNEVEN = """SELECT tenant, gw, stream, first, last FROM covered WHERE (tenant, gw, stream) IN
    (SELECT tenant, gw, stream FROM covered WHERE first > 1) ORDER BY tenant, gw, stream, first"""

HELD = "SELECT meter FROM meter WHERE tenant = ? AND gw = ?"
RELEASE = "DELETE FROM meter WHERE tenant = ? AND meter = ?"
ENROL = """INSERT INTO meter VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
    SET commodity = excluded.commodity, info = excluded.info WHERE gw = excluded.gw"""
METERS = "SELECT meter, gw, commodity, info FROM meter WHERE tenant = ? ORDER BY meter"
OWNERS = "SELECT tenant, meter, gw FROM meter"

ADD_LETTER = """INSERT INTO dead_letter (reason, topic, name, correlation, payload, at, count)
    VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = count + excluded.count, at = excluded.at"""
LETTERS = "SELECT reason, topic, correlation, payload, at, count FROM dead_letter ORDER BY id"
NUMBERED = "SELECT id, reason, topic, correlation, payload, at, count FROM dead_letter ORDER BY id"
FORGET_LETTER = "DELETE FROM dead_letter WHERE id = ?"
COUNT_LETTERS = "SELECT count(*) FROM dead_letter"
DROP_LETTERS = "DELETE FROM dead_letter WHERE id IN (SELECT id FROM dead_letter ORDER BY id LIMIT ?)"
COUNT_DROPPED = "UPDATE counter SET n = n + ? WHERE name = 'dropped_letters'"
DROPPED = "SELECT n FROM counter WHERE name = 'dropped_letters'"
