"""How many people the pages of a program are for, and what those may take of its machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Crowd:
    """Bounds of the pages; each is a number of what there may be at once, but `share`, a part of the time."""

    listeners: int
    """Browsers that are told of changes."""
    share: float
    """What telling them may take of the program's one core; beyond it the page is slower rather than the program."""
    places: int
    """Connections."""
    places_by_tls: int
    """The same where each takes a quarter of a megabyte for its TLS."""
    each: int
    """Connections of one address."""
    friends: int
    """Addresses that are remembered for a session they showed."""


HOUSE = Crowd(listeners=32, share=0.1, places=127, places_by_tls=60, each=16, friends=64)
"""More browsers than a household has, on a small board whose meters, journal and files come first.

Four connections for each browser that may listen; of one address two browsers with all they open at once; as many
friends as one customer has sessions.
"""

HUB = Crowd(listeners=1000, share=0.25, places=3000, places_by_tls=1500, each=256, friends=4000)
"""Customers of a whole town on a server; `systemd/nabd-hub.service` has files and memory for them.

A browser keeps one connection while it listens, and opens more only while it loads: three for each are places for
everybody at once. Where the hub does TLS itself, a place and a half fit into its memory. A block of flats, or all whom
a mobile network hides behind it, may share one address. A phone shows several addresses in a day.
"""
