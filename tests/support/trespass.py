"""Thirty ways from the gateway home/gw-1 to topics that are not its own (S17); the thirtieth is another's client id."""

OWN = "nabd/v1/home/gw-1"
WRITES = [
    *(f"nabd/v1/home/gw-2/{kind}" for kind in ("status", "info", "data", "live/m", "event", "health", "reply")),
    *(f"nabd/v1/home/gw-2/{kind}" for kind in ("ack", "cmd/replay", "settings")),
    *(f"nabd/v1/other/gw-1/{kind}" for kind in ("data", "status", "ack")),
    *(f"{OWN}/{kind}" for kind in ("ack", "cmd/ping", "settings")),
    "nabd/v1/home/live/m",
    "elsewhere/v1/home/gw-1/data",
    "$SYS/broker/uptime",
]
READS = [
    "nabd/v1/home/gw-2/ack",
    "nabd/v1/home/gw-2/cmd/+",
    "nabd/v1/home/gw-2/settings",
    "nabd/v1/home/gw-2/data",
    "nabd/v1/other/gw-1/ack",
    "nabd/v1/other/#",
    "nabd/v1/home/+/+",
    "nabd/v1/+/+/cmd/+",
    "#",
    "$share/store/nabd/v1/+/+/data",
]
