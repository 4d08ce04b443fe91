"""A report is as it was signed, or it is refused."""

import json
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.commission.errors import CommissionError, NotSigned
from gateway.commission.record import canonical
from gateway.commission.signing import CLOSE, KEY_FILE, OPEN, embed, open_key, verify

RECORD = {"v": 1, "gateway": "gw", "installer": "هدى </script><b>&\u2028", "ended": 1}
PAGE = f"<!doctype html>\n<p>شقة 7 passed</p>\n{OPEN}{CLOSE}\n</html>\n"


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """Write a signed page and its JSON."""
    signer = open_key(tmp_path / "state")
    made = signer.sign(RECORD, PAGE)
    (tmp_path / "report.html").write_text(embed(PAGE, made), encoding="utf-8")
    (tmp_path / "report.json").write_bytes(canonical(made) + b"\n")
    return tmp_path


@pytest.mark.parametrize("name", ["report.html", "report.json"])
def test_a_signed_file_is_proven(signed: Path, name: str) -> None:
    """Page and JSON tell the same record, and whose key signed it."""
    found = verify(signed / name)
    assert found.record == RECORD
    assert found.fingerprint == open_key(signed / "state").fingerprint


@pytest.mark.parametrize("name", ["report.html", "report.json"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_changed_byte_is_found(signed: Path, name: str, data: st.DataObject) -> None:
    """Wherever a byte changes, in the page or in the record, the file is refused."""
    original = (signed / name).read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(1, 255))
    changed = signed / f"changed-{name}"
    changed.write_bytes(original[:at] + bytes([original[at] ^ byte]) + original[at + 1 :])
    with pytest.raises(NotSigned):
        verify(changed)


def test_another_record_in_a_signed_page_is_found(signed: Path) -> None:
    """Two reports cannot be put together into a third."""
    other = open_key(signed / "state").sign(RECORD | {"gateway": "other"}, PAGE.replace("passed", "failed"))
    (signed / "mixed.html").write_text(embed(PAGE, other), encoding="utf-8")
    with pytest.raises(NotSigned, match="the page was changed"):
        verify(signed / "mixed.html")


@pytest.mark.parametrize("record", [7, [], {}, {"gateway": "gw", "ended": 10**30}, {"gateway": 1, "ended": 1}])
def test_a_record_that_is_none_is_refused(tmp_path: Path, record: object) -> None:
    """Anybody can sign anything with a key of their own."""
    made = open_key(tmp_path / "state").sign(record, PAGE)  # type: ignore[arg-type]
    (tmp_path / "report.json").write_bytes(canonical(made) + b"\n")
    with pytest.raises(NotSigned, match="no signed record"):
        verify(tmp_path / "report.json")


def test_names_cannot_end_the_script(signed: Path) -> None:
    """The record in the page holds no sign that HTML would obey."""
    inside = (signed / "report.html").read_text(encoding="utf-8").partition(OPEN)[2].partition(CLOSE)[0]
    assert not set("<>&\u2028") & set(inside)
    assert json.loads(inside)["record"] == RECORD


@pytest.mark.parametrize("text", ["", "{}", "[]", "[" * 50_000, f"{OPEN}{CLOSE}", '{"signature": 1}', "\udcff"])
def test_what_is_no_report_is_refused(tmp_path: Path, text: str) -> None:
    """Any other file is an error with a hint, never a crash."""
    file = tmp_path / "other.html"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(NotSigned) as caught:
        verify(file)
    assert caught.value.hint


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    """A second look finds the same key, mode 0600."""
    first = open_key(tmp_path).fingerprint
    assert open_key(tmp_path).fingerprint == first
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_damaged_key_is_not_replaced(tmp_path: Path) -> None:
    """Reports would change their signer without anybody noticing."""
    (tmp_path / KEY_FILE).write_text("zz")
    with pytest.raises(CommissionError, match="is no key"):
        open_key(tmp_path)
    assert (tmp_path / KEY_FILE).read_text() == "zz"
