"""Who may command what. The role is the hub's word: a broker lets the hub's user alone write commands."""

from typing import Literal, get_args

Role = Literal["customer", "installer", "operator"]
ROLES: frozenset[str] = frozenset(get_args(Role))

MATRIX: dict[str, frozenset[str]] = {
    "ping": ROLES,
    "read_now": ROLES,
    "set_interval": frozenset({"installer", "operator"}),
    "reload": frozenset({"installer", "operator"}),
    "replay": frozenset({"operator"}),
}
"""Each command and the roles it obeys. None of them writes to a meter."""
