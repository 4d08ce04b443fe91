"""How long the search of a bus takes: `nabd scan` on a paced line with twelve meters of twelve models, in real time."""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.rig import Figure

MODELS = (
    "eastron-sdm630", "eastron-sdm120", "abb-b23", "carlo-gavazzi-em24", "schneider-iem3155", "orno-we-516",
    "janitza-umg96rm", "siemens-pac2200", "socomec-countis-e23", "inepro-pro380", "finder-7m38", "abb-b21",
)  # fmt: skip
APART = 19
"""Between two addresses, so that most of them are not where installers look first."""

BAUD, TURNAROUND = 9600, 0.015
TARGET = 60
_STARTED = 30.0


def town() -> str:
    """Write the scenario."""
    text = f'[[line]]\nname = "rs485"\nkind = "pty"\nbaud = {BAUD}\nturnaround = {TURNAROUND}\n'
    for number, model in enumerate(MODELS):
        text += f'[[meter]]\nname = "m{number}"\nline = "rs485"\nprofile = "{model}"\naddress = {3 + APART * number}\n'
    return text


def search() -> list[Figure]:
    """Serve the line in one process and search it by another, as an installer would."""
    with tempfile.TemporaryDirectory() as folder:
        scenario, wires = Path(folder) / "town.toml", Path(folder) / "wires"
        scenario.write_text(town(), encoding="utf-8")
        nabd = [sys.executable, "-m", "gateway.cli"]
        serve = [*nabd, "simulate", str(scenario), "--folder", str(wires)]
        with subprocess.Popen(serve, stdout=subprocess.DEVNULL) as simulator:
            try:
                _await(wires / "meters.json")
                start = time.monotonic()
                command = [*nabd, "scan", str(wires / "rs485"), "--json"]
                done = subprocess.run(command, capture_output=True, text=True, check=False)
                seconds = time.monotonic() - start
            finally:
                simulator.terminate()
    (port,) = json.loads(done.stdout)["ports"]
    return _figures(port["meters"], seconds)


def _figures(meters: list[dict[str, object]], seconds: float) -> list[Figure]:
    truth = {3 + APART * number: model for number, model in enumerate(MODELS)}
    wrong = [one for one in meters if one["confidence"] == "sure" and one["profile"] != truth.get(_number(one))]
    among = sum(truth.get(_number(one)) in (one["profile"], *_texts(one["others"])) for one in meters)
    found = len(meters)
    name = f"search of a {BAUD} baud line with {len(MODELS)} models"
    return [
        Figure(name, f"{seconds:.0f} s", f"<= {TARGET} s", seconds <= TARGET),
        Figure("  meters found", str(found), str(len(MODELS)), found == len(MODELS)),
        Figure(
            "  whose model is named, alone or with others alike", str(among), str(len(MODELS)), among == len(MODELS)
        ),
        Figure("  named wrongly and sure", str(len(wrong)), "0", not wrong),
    ]


def _number(one: dict[str, object]) -> int:
    return int(str(one["address"]))


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []


def _await(path: Path) -> None:
    until = time.monotonic() + _STARTED
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
