"""Meters that push, through the driver: recorded lines, silence, keys that do not fit."""

from pathlib import Path

import pytest

from drivers import profiles
from drivers.contract import NO_KEYS, Bus, Keys, Meter, NoAnswer, NotConnected, Refused
from drivers.dlms.data import Data, Tag
from drivers.dlms.driver import open_bus
from drivers.dlms.hdlc import Address, Frame, Kind
from drivers.dlms.listening import Listening
from drivers.dlms.notices import DataNotification
from drivers.dlms.push import Decoder
from drivers.dlms.security import Received
from drivers.pushed import PushedPort
from tests.support.virtual_time import run_virtually

KEY = bytes.fromhex("101112131415161718191A1B1C1D1E1F")


def pushed(profile: str, keys: Keys = NO_KEYS) -> Meter:
    """Make a meter that pushes."""
    return Meter("m", profiles.load(profile), keys=keys)


def hear(meter: Meter, data: bytes) -> Listening:
    """Let a meter be listened to on a line that carried this."""
    port = PushedPort(Decoder(), lambda: 7)
    port.data_received(data)
    return Listening(meter, port, Received())


@pytest.mark.parametrize(
    ("file", "profile", "keys"),
    [("scs_iskra_am550_unencrypted_valid_data_cfg2026", "dlms-iskra-am550", NO_KEYS),
     ("scs_lg_e570_encrypted_valid_data", "dlms-landis-e570", Keys(KEY))],
)  # fmt: skip
def test_a_recorded_line_is_read_to_its_end(
    captures: Path, tmp_path: Path, file: str, profile: str, keys: Keys
) -> None:
    """Its push is one reading; then the link is gone."""
    line = tmp_path / "line.bin"
    line.write_bytes(bytes.fromhex((captures / "dlms/push" / f"{file}.hex").read_text()))
    driver = open_bus(Bus("b", f"capture:{line}", state=tmp_path), lambda: 7)
    meter = pushed(profile, keys)

    async def story() -> None:
        await driver.connect()
        reading = await driver.read(meter)
        assert reading.at == 7
        assert reading.values["energy_import_wh"]
        with pytest.raises(NotConnected):
            await driver.read(meter)
        await driver.close()
        # What was heard outlives a restart: the same message again is an old one.
        again = open_bus(Bus("b", f"capture:{line}", state=tmp_path), lambda: 7)
        await again.connect()
        if keys is not NO_KEYS:
            with pytest.raises(NotConnected):
                await again.read(meter)
            assert again.counters()["replayed"] == 1
        await again.close()

    run_virtually(story())


def test_silence_says_what_to_look_at(captures: Path) -> None:
    """Nothing at all, nothing of the profile, or keys that do not fit are told apart."""
    ciphered = bytes.fromhex((captures / "dlms/push/scs_lg_e570_encrypted_valid_data.hex").read_text())
    foreign = bytes(DataNotification(Data(Tag.STRUCTURE, (Data(Tag.UINT8, 1),))))
    framed = bytes(Frame(Address(1), Address(16), Kind.UI, b"\xe6\xe7\x00" + foreign))

    async def story() -> None:
        with pytest.raises(NoAnswer, match="no push"):
            await hear(pushed("dlms-push"), b"").next()
        with pytest.raises(NoAnswer, match="does the profile fit"):
            await hear(pushed("dlms-push"), framed).next()
        with pytest.raises(Refused, match="key"):
            await hear(pushed("dlms-landis-e570"), ciphered).next()
        with pytest.raises(Refused, match="less protected"):
            await hear(pushed("dlms-landis-e570", Keys(bytes(16), bytes(16))), ciphered).next()

    run_virtually(story())
