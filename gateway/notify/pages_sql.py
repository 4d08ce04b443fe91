"""The tables of what customers set on pages: goals, and browsers that are pushed to; and every statement on them."""

TABLES = [
    """CREATE TABLE goal (
        tenant TEXT NOT NULL, meter TEXT NOT NULL, amount REAL NOT NULL, at INTEGER NOT NULL,
        PRIMARY KEY (tenant, meter)) WITHOUT ROWID""",
    """CREATE TABLE browser (
        tenant TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL, language TEXT NOT NULL, origin TEXT NOT NULL,
        since INTEGER NOT NULL, PRIMARY KEY (tenant, name)) WITHOUT ROWID""",
]

SET_GOAL = """INSERT INTO goal VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET amount = excluded.amount, at = excluded.at"""
UNSET_GOAL = "DELETE FROM goal WHERE tenant = ? AND meter = ?"
GOALS = "SELECT meter, amount FROM goal WHERE tenant = ? ORDER BY meter"
LEAKS = """SELECT body FROM alert WHERE tenant = ? AND rule IN ('water_leak', 'water_burst', 'flow_while_away')
    ORDER BY raised DESC LIMIT 20"""
ADD_KEY = "INSERT INTO secret VALUES ('webpush', ?) ON CONFLICT DO NOTHING"
KEY = "SELECT value FROM secret WHERE name = 'webpush'"
ADD_BROWSER = "INSERT INTO browser VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body"
TRIM_BROWSERS = """DELETE FROM browser WHERE tenant = ? AND name NOT IN
    (SELECT name FROM browser WHERE tenant = ? ORDER BY since DESC, name LIMIT ?)"""
REMOVE_BROWSER = "DELETE FROM browser WHERE tenant = ? AND name = ?"
BROWSERS = "SELECT tenant, name, body, language, origin, since FROM browser ORDER BY tenant, since, name"
