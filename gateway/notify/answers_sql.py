"""The tables of what customers say and wish, in the hub database, and every statement on them.

`answer` is what was answered to alerts, `wish` what a customer chose for a channel, `away` the meters of homes nobody
is in, `away_until` when that ends by itself, `sent_settings` the newest document of settings of each gateway.
"""

TABLES = [
    """CREATE TABLE answer (
        id INTEGER PRIMARY KEY AUTOINCREMENT, tenant TEXT NOT NULL, alert TEXT NOT NULL, rule TEXT NOT NULL,
        meter TEXT NOT NULL, answer TEXT NOT NULL, channel TEXT NOT NULL, at INTEGER NOT NULL, raised INTEGER NOT NULL,
        done INTEGER, UNIQUE (tenant, alert, answer))""",
    "CREATE INDEX answer_of_meter ON answer (tenant, meter)",
    "CREATE INDEX open_call ON answer (at) WHERE answer = 'call_me' AND done IS NULL",
    """CREATE TABLE wish (
        tenant TEXT NOT NULL, channel TEXT NOT NULL, body BLOB NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (tenant, channel)) WITHOUT ROWID""",
    """CREATE TABLE away (
        tenant TEXT NOT NULL, meter TEXT NOT NULL, since INTEGER NOT NULL,
        PRIMARY KEY (tenant, meter)) WITHOUT ROWID""",
    """CREATE TABLE sent_settings (
        tenant TEXT NOT NULL, gw TEXT NOT NULL, rev INTEGER NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (tenant, gw)) WITHOUT ROWID""",
]

ADD = """INSERT INTO answer (tenant, alert, rule, meter, answer, channel, at, raised)
    SELECT tenant, id, rule, meter, ?, ?, ?, raised FROM alert WHERE tenant = ? AND id = ? ON CONFLICT DO NOTHING"""
OF_ALERT = "SELECT answer FROM answer WHERE tenant = ? AND alert = ? ORDER BY id"
SAID_TO = "SELECT answer, channel, at, done FROM answer WHERE tenant = ? AND alert = ? ORDER BY id"
OF_METER = "SELECT rule, answer, at, raised FROM answer WHERE tenant = ? AND meter = ? ORDER BY id"
CALLS = """SELECT tenant, alert, meter, rule, channel, at FROM answer
    WHERE answer = 'call_me' AND done IS NULL ORDER BY at LIMIT ?"""
CALLED = """UPDATE answer SET done = ? WHERE tenant = ? AND alert = ? AND answer = 'call_me' AND done IS NULL"""
# What a customer takes back stands among the answers: what follows from them is worked out in their order.
RESET = """INSERT INTO answer (tenant, alert, rule, meter, answer, channel, at, raised)
    VALUES (?, ?, ?, ?, 'reset', ?, ?, ?) ON CONFLICT DO NOTHING"""

SET_WISH = "INSERT INTO wish VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body, at = excluded.at"
WISHES = "SELECT channel, body FROM wish WHERE tenant = ?"

LEAVE = "INSERT INTO away SELECT tenant, meter, ? FROM meter WHERE tenant = ? ON CONFLICT DO NOTHING"
RETURN = "DELETE FROM away WHERE tenant = ?"
AWAY = "SELECT meter FROM away WHERE tenant = ?"
# Made where it is missing, so that the release before can still open the database.
UNTIL_TABLE = "CREATE TABLE IF NOT EXISTS away_until (tenant TEXT PRIMARY KEY, until INTEGER) WITHOUT ROWID"
SET_UNTIL = "INSERT INTO away_until VALUES (?, ?) ON CONFLICT DO UPDATE SET until = excluded.until"
_UNTIL = "SELECT tenant, until FROM away_until"
_IS_AWAY = "EXISTS (SELECT 1 FROM away WHERE away.tenant = away_until.tenant)"
UNTIL = f"{_UNTIL} WHERE tenant = ? AND {_IS_AWAY}"
OVER = f"{_UNTIL} WHERE until <= ? AND {_IS_AWAY}"

# Changes whenever somebody said something, or a gateway announced other meters.
SAID = """SELECT (SELECT max(id) FROM answer), (SELECT count(*) FROM away), (SELECT max(since) FROM away),
    (SELECT count(*) FROM meter), (SELECT max(meter) FROM meter)"""
TENANTS = "SELECT DISTINCT tenant FROM meter"
GATEWAYS = "SELECT DISTINCT tenant, gw FROM meter ORDER BY tenant, gw"
METERS = "SELECT meter FROM meter WHERE tenant = ? AND gw = ? ORDER BY meter"
SENT = "SELECT rev, body FROM sent_settings WHERE tenant = ? AND gw = ?"
SET_SENT = """INSERT INTO sent_settings VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET rev = excluded.rev, body = excluded.body"""
