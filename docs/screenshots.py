# ruff: noqa: INP001  a tool of the documentation, not a package
"""Take the pictures of docs/images with a headless Chromium: `./run screenshots`.

The page runs here on meters that stand still, so a picture changes only when the page does.
"""

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from gateway.live import LiveMeter
from gateway.message import SUSPECT
from gateway.web.page import app

IMAGES = Path(__file__).parent / "images"
NOW = 1_795_219_210_000


def meters(house: str, flat: str, pump: str, water: str, gas: str) -> list[LiveMeter]:
    """Make a home's meters under these names."""
    phases = {"voltage_l1_v": 229.8, "voltage_l2_v": 231.4, "voltage_l3_v": 230.2}
    phases |= {"current_l1_a": 6.31, "current_l2_a": 2.04, "current_l3_a": 2.11}
    main = {"power_w": 2384.1, "energy_import_wh": 18_607_447.1, "energy_export_wh": 2_214_030, **phases}
    side = {"power_w": -640.0, "energy_import_wh": 4_120_300, "voltage_v": 230.6, "current_a": 2.79}
    heat = {"power_w": 1120.0, "energy_import_wh": 9_870_500}
    flow = {"water_flow_l_h": 432.0, "water_volume_l": 312_847.0}
    burnt = {"gas_volume_l": 7_412_318.0}
    return [
        LiveMeter("home_main", house, "electricity", "Eastron SDM630 Modbus", 1.0, NOW - 900, 0, main),
        LiveMeter("home_flat", flat, "electricity", "Eastron SDM120 Modbus", 10.0, NOW - 3_200, 0, side),
        LiveMeter("home_pump", pump, "electricity", "ABB B23", 10.0, NOW - 432_000, 0, heat),
        LiveMeter("home_water", water, "water", "TUF-2000M ultrasonic water meter", 60.0, NOW - 14_000, SUSPECT, flow),
        LiveMeter("home_gas", gas, "gas", "Gas meter behind a P1 port", 300.0, NOW - 202_000, 0, burnt),
    ]


HOMES = {
    "en": meters("House", "Flat upstairs", "Heat pump", "Garden and house", "Kitchen"),
    "ar": meters("المنزل", "الشقة العلوية", "المضخة الحرارية", "الحديقة والمنزل", "المطبخ"),
    "none": [],
}


@dataclass
class Stills:
    """A source whose meters never change while their picture is taken."""

    shown: Sequence[LiveMeter] = ()

    def meters(self) -> Sequence[LiveMeter]:
        """List the meters."""
        return self.shown


@dataclass(frozen=True)
class Picture:
    """One file: which home in which language, how wide and high in CSS pixels, light or dark."""

    name: str
    home: str
    language: str
    width: int
    height: int
    dark: bool = False


PICTURES = [
    Picture("page", "en", "en", 1280, 900),
    Picture("page-ar", "ar", "ar", 1280, 900),
    Picture("page-phone", "en", "en", 390, 1000),
    Picture("page-phone-ar-dark", "ar", "ar", 390, 1000, dark=True),
    Picture("page-empty", "none", "en", 1280, 420),
]


async def take(browser: str, picture: Picture, port: int, into: Path) -> None:
    """Let the browser draw one page into one file."""
    dark = ("--force-dark-mode", "--blink-settings=preferredColorScheme=0") if picture.dark else ()
    with tempfile.TemporaryDirectory() as profile:
        process = await asyncio.create_subprocess_exec(
            browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *dark,
            "--force-device-scale-factor=2", f"--window-size={picture.width},{picture.height}",
            f"--user-data-dir={profile}", f"--screenshot={into / picture.name}.png",
            f"http://127.0.0.1:{port}/?lang={picture.language}",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await asyncio.wait_for(process.wait(), 60)
        finally:
            if process.returncode is None:
                process.kill()


async def main(into: Path, pictures: Sequence[Picture]) -> int:
    """Serve the page and take every picture."""
    browser = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
    if browser is None:
        sys.stderr.write("No Chromium on the path: sudo apt-get install chromium fonts-noto-core\n")
        return 2
    source = Stills()
    server = uvicorn.Server(uvicorn.Config(app(source, now=lambda: NOW), host="127.0.0.1", port=0, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    while not server.started:  # uvicorn tells by this flag alone
        await asyncio.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    for picture in pictures:
        source.shown = HOMES[picture.home]
        await take(browser, picture, port, into)
    server.should_exit = True
    await serving
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(IMAGES, PICTURES)))
