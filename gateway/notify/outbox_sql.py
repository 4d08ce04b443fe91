"""The outbox' tables in the hub database and every statement on them.

`alert` is each alert's newest state, `outbox` what is to be told and what was, `mute` what nobody wants to hear. A
message is `waiting`, then `sent`, or `dropped` (no longer needed), `digest` (told later, with others), `aside` (nobody
took it).
"""

TABLES = [
    """CREATE TABLE alert (
        tenant TEXT NOT NULL, id TEXT NOT NULL, gw TEXT NOT NULL, rule TEXT NOT NULL, meter TEXT NOT NULL,
        state TEXT NOT NULL, seq INTEGER NOT NULL, raised INTEGER NOT NULL, body BLOB NOT NULL,
        acknowledged INTEGER, by TEXT, PRIMARY KEY (tenant, id)) WITHOUT ROWID""",
    "CREATE INDEX alert_by_time ON alert (tenant, raised)",
    "CREATE INDEX open_alert ON alert (tenant, raised) WHERE state IN ('raised', 'updated')",
    """CREATE TABLE mute (
        tenant TEXT NOT NULL, rule TEXT NOT NULL, meter TEXT NOT NULL, until INTEGER NOT NULL, by TEXT NOT NULL,
        PRIMARY KEY (tenant, rule, meter)) WITHOUT ROWID""",
    """CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, tenant TEXT NOT NULL, gw TEXT NOT NULL,
        alert TEXT NOT NULL, seq INTEGER NOT NULL, telling TEXT NOT NULL, severity TEXT NOT NULL,
        channel TEXT NOT NULL, repeat INTEGER NOT NULL, late INTEGER NOT NULL, body BLOB NOT NULL,
        since INTEGER NOT NULL, due INTEGER NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
        done INTEGER, said TEXT)""",
    "CREATE INDEX outbox_due ON outbox (channel, due) WHERE state = 'waiting'",
    "CREATE INDEX outbox_alert ON outbox (tenant, alert, channel)",
    "CREATE INDEX outbox_by_time ON outbox (tenant, due)",
    "CREATE TABLE secret (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "INSERT INTO counter VALUES ('planned', 0), ('unreadable_events', 0)",
]

COUNTER = "SELECT n FROM counter WHERE name = ?"
SET_COUNTER = "UPDATE counter SET n = ? WHERE name = ?"
ADD_COUNTER = "UPDATE counter SET n = n + ? WHERE name = ?"

ADD_KEY = "INSERT INTO secret VALUES (?, ?) ON CONFLICT DO NOTHING"
KEY = "SELECT value FROM secret WHERE name = ?"

# Events of one alert may arrive in any order; the newest one is its state.
SET_ALERT = """INSERT INTO alert VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL) ON CONFLICT DO UPDATE
    SET state = excluded.state, seq = excluded.seq, body = excluded.body WHERE excluded.seq > seq"""
_ALERT = "SELECT tenant, gw, body, acknowledged, by FROM alert WHERE tenant = ?"
ALERT = f"{_ALERT} AND id = ?"
OPEN_ALERTS = f"{_ALERT} AND state IN ('raised', 'updated') ORDER BY raised DESC LIMIT ?"
LATEST_ALERTS = f"{_ALERT} ORDER BY raised DESC LIMIT ?"
ACKNOWLEDGE = "UPDATE alert SET acknowledged = ?, by = ? WHERE tenant = ? AND id = ? AND acknowledged IS NULL"

MUTED = "SELECT 1 FROM mute WHERE tenant = ? AND rule = ? AND meter = ? AND until > ?"
MUTE = """INSERT INTO mute SELECT tenant, rule, meter, ?, ? FROM alert WHERE tenant = ? AND id = ?
    ON CONFLICT DO UPDATE SET until = excluded.until, by = excluded.by"""

# What was told of an alert, or tried to be: a provider that gave no answer may have taken it all the same.
STORY = """SELECT channel, telling, severity, state, tries, repeat FROM outbox
    WHERE tenant = ? AND alert = ? AND state IN ('waiting', 'sent')"""
# What was first due at one moment on one channel is one message.
INTERRUPTIONS = """SELECT DISTINCT since, channel FROM outbox
    WHERE tenant = ? AND due > ? AND telling IN ('raised', 'updated', 'digest') AND severity <> 'critical'
    AND state IN ('waiting', 'sent')"""

METER = "SELECT info FROM meter WHERE tenant = ? AND meter = ?"
METERS_OF = "SELECT meter, info FROM meter WHERE tenant = ? ORDER BY meter"
WATER_METERS = "SELECT meter FROM meter WHERE tenant = ? AND commodity = 'water'"
RAISED = "SELECT body FROM alert WHERE tenant = ? AND raised >= ? AND raised < ? ORDER BY raised LIMIT ?"
KNOWN = "SELECT 1 FROM outbox WHERE key = ?"
DIGESTS = "SELECT since, body FROM outbox WHERE tenant = ? AND due > ? AND telling = 'digest' ORDER BY since"
EVENTS = "SELECT id, tenant, gw, body FROM event WHERE id > ? ORDER BY id LIMIT ?"

# `since` stays what `due` was at first: so long somebody has been waiting for it.
ADD = """INSERT INTO outbox
    (key, tenant, gw, alert, seq, telling, severity, channel, repeat, late, body, since, due, state)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"""
# Of one alert, one message at a time goes to one channel, in the order they were made; a reminder holds up nothing.
# With each of the first ones comes what is told together with it, for that was first due at the same moment.
_DUE = """channel = ? AND due <= ? AND state = 'waiting' AND NOT EXISTS (
        SELECT 1 FROM outbox AS earlier WHERE earlier.tenant = this.tenant AND earlier.alert = this.alert
        AND earlier.channel = this.channel AND earlier.state = 'waiting' AND earlier.id < this.id
        AND (earlier.repeat = 0 OR this.repeat > 0))"""
DUE = f"""WITH first AS (
        SELECT id, since, severity FROM outbox AS this WHERE {_DUE} ORDER BY severity <> 'critical', id LIMIT ?)
    SELECT id, key, tenant, gw, channel, repeat, late, body, since, tries FROM outbox AS this
    WHERE {_DUE} AND (id IN (SELECT id FROM first) OR (severity <> 'critical'
        AND since IN (SELECT since FROM first WHERE severity <> 'critical')))
    ORDER BY severity <> 'critical', id"""  # noqa: S608  both parts are written here
NEXT_DUE = "SELECT min(due) FROM outbox WHERE channel = ? AND state = 'waiting'"
# A message dropped while it was on its way was told nonetheless.
SENT = "UPDATE outbox SET state = 'sent', tries = tries + 1, done = ?, said = ? WHERE id = ?"
LATER = "UPDATE outbox SET due = ?, tries = tries + 1, said = ? WHERE id = ? AND state = 'waiting'"
ASIDE = "UPDATE outbox SET state = 'aside', tries = tries + 1, done = ?, said = ? WHERE id = ? AND state = 'waiting'"
GIVE_WAY = "UPDATE outbox SET state = 'dropped', tries = tries + 1, done = ?, said = ? WHERE id = ?"
DROP_REPEATS = """UPDATE outbox SET state = 'dropped' WHERE tenant = ? AND alert = ? AND state = 'waiting'
    AND repeat > 0"""
DROP = """UPDATE outbox SET state = 'dropped' WHERE tenant = ? AND alert = ? AND channel = ? AND state = 'waiting'"""
DELIVERED = "SELECT 1 FROM outbox WHERE tenant = ? AND alert = ? AND seq = ? AND state = 'sent'"
TRIED = "SELECT DISTINCT channel FROM outbox WHERE tenant = ? AND alert = ? AND seq = ? AND repeat = 0"
CHANNELS = "SELECT DISTINCT channel FROM outbox WHERE state = 'waiting'"
TOLD = """SELECT coalesce(done, due), telling, state, repeat, channel FROM outbox
    WHERE tenant = ? AND alert = ? AND state <> 'dropped' ORDER BY id LIMIT ?"""
SEEN = "SELECT acknowledged, by FROM alert WHERE tenant = ? AND id = ? AND acknowledged IS NOT NULL"
RETIRE = "UPDATE outbox SET state = 'aside', done = ?, said = ? WHERE channel = ? AND state = 'waiting'"
COUNTS = "SELECT channel, state, count(*) FROM outbox GROUP BY channel, state"
FORGET = "DELETE FROM outbox WHERE due < ? AND state <> 'waiting'"
