"""A smart meter with a P1 port: a telegram every second in the form of its country, its M-Bus sub-meters in it.

A sub-meter hands its register over every five minutes; until the next time the telegram repeats the old value with the
old timestamp.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from simulator.households import Channel, Household
from simulator.p1_forms import FORMS, OLD_GAS, Form, Seal, cut, finish
from simulator.place import Place, Placed
from simulator.pushing import PushingServer
from simulator.serving import SimulatorError

PUBLIC_KEY = "00112233445566778899AABBCCDDEEFF"
"""The authentication key that all Luxembourg meters share."""

SUB_METER_STEP = 300
_DEVICE_TYPES: Mapping[Channel, str] = {"electricity": "002", "gas": "003", "water": "007"}

Submeters = Mapping[int, tuple[Channel, Household]]
"""What hangs on which M-Bus channel, 1 to 4."""


def line(place: Place) -> Placed:
    """Serve the port of one electricity meter, with what hangs on its channels; raises SimulatorError."""
    place.no_gateway()
    main = [meter for meter in place.meters if meter.channel == "electricity"]
    subs = {meter.address or 1: meter for meter in place.meters if meter.channel != "electricity"}
    if len(main) != 1 or any(channel not in range(1, 5) for channel in subs):
        what = f"line {place.table.name} must have one electricity meter"
        raise SimulatorError(what, "others hang on its channels 1 to 4, by address")
    meter = main[0]
    form = FORMS.get(meter.form or "dsmr5")
    if form is None:
        raise SimulatorError(f"{meter.name}: no country's form is {meter.form!r}", f"one of {', '.join(FORMS)}")
    home = place.homes[meter.household]
    submeters = {channel: (sub.channel, place.homes[sub.household]) for channel, sub in subs.items()}
    seal = Seal(bytes.fromhex(meter.key), bytes.fromhex(meter.auth_key or PUBLIC_KEY)).seal if meter.key else bytes
    return Placed(PushingServer(lambda: seal(telegram(home, submeters, place.now(), place.zone, form))))


def telegram(home: Household, submeters: Submeters, time: float, zone: ZoneInfo, form: Form = FORMS["dsmr5"]) -> bytes:
    """Give what the meter says at a unix time."""
    lines = [*_electricity(home.at("electricity", time), _stamp(time, zone), form)]
    for channel, (kind, household) in sorted(submeters.items()):
        taken = time // SUB_METER_STEP * SUB_METER_STEP
        lines += [
            f"0-{channel}:24.1.0({_DEVICE_TYPES[kind]})",
            f"0-{channel}:96.1.0({_hex(f'SIM{kind.upper():0>10}{channel}')})",
            _captured(channel, kind, household.at(kind, taken), _stamp(taken, zone), form),
        ]
    return finish(form, lines)


def _electricity(values: Mapping[str, float], stamp: str, form: Form) -> Iterator[str]:
    yield f"0-0:1.0.0({stamp})"
    yield f"0-0:96.1.1({_hex('SIM0000000001')})"
    yield f"0-0:96.14.0({'0001' if values['low_tariff'] else '0002'})"
    yield "0-0:96.13.0()"
    for code, name in form.codes.items():
        yield form.number(code, values[name])


def _captured(channel: int, kind: Channel, values: Mapping[str, float], stamp: str, form: Form) -> str:
    """Write a sub-meter's register with its own time."""
    if kind == "electricity":
        return f"0-{channel}:24.2.1({stamp})({cut(values['energy_import'] / 1000, 3):010.3f}{form.star}kWh)"
    volume = f"{cut(values[f'{kind}_volume'] / 1000, 3):09.3f}"
    if kind == "gas" and form.gas == OLD_GAS:
        return f"0-{channel}:{OLD_GAS}({stamp[:-1]})(00)(60)(1)(0-{channel}:24.2.1)(m3)\r\n({volume})"
    return f"0-{channel}:{form.gas if kind == 'gas' else '24.2.1'}({stamp})({volume}{form.star}m3)"


def _stamp(time: float, zone: ZoneInfo) -> str:
    local = datetime.fromtimestamp(time, zone)
    return f"{local:%y%m%d%H%M%S}{'S' if local.dst() else 'W'}"


def _hex(text: str) -> str:
    return text.encode("ascii").hex().upper()
