"""A meter that pushes by its customer port: a notification in an HDLC frame, plain or ciphered.

Each value goes with its code, its power of ten and its unit, all in one structure, as Austrian meters have it.
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from drivers.contract import Keys
from drivers.dlms.axdr import Data
from drivers.dlms.hdlc import Address, Frame, Kind
from drivers.dlms.notices import DataNotification
from drivers.dlms.sealed import CIPHERED, GENERAL_GLOBAL, SIGNED
from drivers.dlms.security import seal
from simulator.dlms.cosem import octets, six, structure
from simulator.dlms.household import REGISTERS, number, scaler_and_unit
from simulator.dlms.meter import counter_at
from simulator.dlms.moments import date_time
from simulator.households import Household

EVERY = 5.0
"""Seconds between two pushes, as Austrian operators have it."""

CUSTOMER, METER = Address(103), Address(1)
TO_CLIENT = bytes.fromhex("e6e700")


class Push:
    """Makes one telegram after the other; the invocation counter rises with each."""

    def __init__(self, home: Household, now: Callable[[], float], zone: ZoneInfo, title: bytes, keys: Keys) -> None:
        self._home, self._now, self._zone = home, now, zone
        self._title, self._keys = title, keys
        self._count = counter_at(now())

    def telegram(self) -> bytes:
        """Give the next frame."""
        self._count += 1
        message = bytes(DataNotification(self._values(), date_time(self._now(), self._zone), self._count))
        if self._keys.encryption:
            control = CIPHERED | (SIGNED if self._keys.authentication else 0)
            message = bytes(seal(message, GENERAL_GLOBAL, self._title, self._count, self._keys, control))
        return bytes(Frame(CUSTOMER, METER, Kind.UI, TO_CLIENT + message))

    def _values(self) -> Data:
        values = self._home.at("electricity", self._now())
        said: list[Data] = []
        for code, (quantity, tag, scaler, unit) in REGISTERS.items():
            said += [
                octets(six(code)), number(values[quantity], quantity, tag, scaler), scaler_and_unit(scaler, unit)
            ]  # fmt: skip
        return structure(*said)
