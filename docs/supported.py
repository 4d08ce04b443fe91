# ruff: noqa: INP001  a tool of the documentation, not a package
"""The page "Is my meter supported?": every model over all protocols, what proves it, and what is missing.

1. A profile that names a model is a row; its evidence follows from the words of its `source`.
2. A profile that reads a whole kind of meters has a row in a table of its own, and one for each model of `models.toml`
   whose recording it reads.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from drivers.profiles import Profile, available, load_file

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs/reference/supported-meters.md"
MODELS = ROOT / "docs/models.toml"

HEAD = """# Is my meter supported?

<!-- made by `./run docs`: change the profiles, docs/models.toml or docs/supported.py, never this page -->

Search this page for what stands on your meter: its maker, or its model.
It names {models} models of {makers} makers.
A meter that is not here is likely to work too: {kinds} profiles read whole kinds of meters, whoever made them.

## How to find out

- On a wire: [`nabd scan`](../how-to/find-meters.md) finds meters, says which model each is and how sure it is of that.
- With a telegram: `nabd analyze FILE` says what recorded bytes mean.
  [`nabd profiles new FILE`](../how-to/new-model.md) drafts a profile of them.
- By name: `nabd profiles` lists the profiles, `nabd profiles show NAME` one of them, row by row.

## What the evidence means

| Evidence | What was there |
|---|---|
| recording | a telegram of this very model, which another open project published; a test reads it |
| recordings | telegrams of meters of this kind |
| two projects | two or more open projects, which use the same registers |
| maker's sheet | the maker's own document |
| one project | one open project |
| the public format | a public document of the format, and no meter's telegram |
| printed on it | what one pulse is worth stands on the meter: choose the profile by it |

Unconfirmed is what one source alone says: compare the first values with the meter's display.
Nabd's own simulator proves none of these: it shows that a profile is read as it is written, not that it is true.

"""

KINDS = """
## Whole kinds of meters

| Kind | Commodity | Protocol | Profile | Evidence |
|---|---|---|---|---|
"""

MAKERS = (
    "ABB", "Aidon", "Apator", "Carlo Gavazzi", "Eastron", "Finder", "Iskraemeco", "Janitza", "Kaifa", "Kamstrup",
    "Landis+Gyr", "ORNO", "Schneider Electric", "Siemens", "Socomec", "Techem", "TUF-2000M", "Xintai", "inepro",
)  # fmt: skip
"""What titles begin with, where a profile is for a model and not for a whole kind."""

EVIDENCE = (
    (r"vendor's sheet", "maker's sheet"),
    (r"captured telegram|^pushes of", "recording"),
    (r"shared by", "two projects"),
    (r"^register list of|^one project's", "one project"),
    (r"printed on the meter", "printed on it"),
    (r"telegram|lists of|records of|sessions|example of", "recordings"),
    (r"fields that its drivers", "one project"),
    (r"the public", "the public format"),
)
"""What the words of a profile's `source` are worth; the first that fits counts."""

EXPECTED = {
    "electricity": {
        "import": "energy_import", "export": "energy_export", "power": "power", "voltage": "voltage",
        "current": "current",
    },
    "water": {"volume": "water_volume", "flow": "water_flow"},
    "gas": {"volume": "gas_volume"},
    "heat": {
        "energy": "heat_energy", "power": "heat_power", "volume": "heat_volume", "temperatures": "flow_temperature",
    },
}  # fmt: skip
"""What one wants of a meter; any quantity that begins so counts."""


class Unproven(Exception):  # noqa: N818  says what it means
    """A profile whose source says nothing that counts as evidence."""


@dataclass(frozen=True)
class Model:
    """One row of the page."""

    maker: str
    model: str
    commodity: str
    protocol: str
    profile: str
    evidence: str
    missing: str

    def row(self) -> str:
        """Write it as a row of the table."""
        name, missing = f"`{self.profile}`", self.missing or "nothing"
        cells = (self.maker, self.model, self.commodity, self.protocol, name, self.evidence, missing)
        return f"| {' | '.join(cells)} |"


def page() -> str:
    """Make the whole page; raises Unproven."""
    found = sorted(models(), key=lambda each: (each.maker.lower(), each.model.lower(), each.profile))
    kinds = [profile for profile in _profiles() if _maker(profile) is None]
    head = HEAD.format(models=len(found), makers=len({each.maker for each in found}), kinds=len(kinds))
    table = [
        "## Models",
        "",
        "| Maker | Model | Commodity | Protocol | Profile | Evidence | Missing |",
        "|---" * 7 + "|",
    ]
    lines = [*table, *(each.row() for each in found)]
    return head + "\n".join(lines) + "\n" + KINDS + "\n".join(_kind(profile) for profile in kinds) + "\n"


def models() -> Iterator[Model]:
    """Give every model: of the profiles that name one, and of the recordings that others read."""
    for profile in _profiles():
        maker = _maker(profile)
        if maker is not None:
            name = profile.title.removeprefix(maker).strip() or profile.title
            yield _model(maker, name, profile, evidence_of(profile), profile.quantities)
    for row in tomllib.loads(MODELS.read_text(encoding="utf-8"))["model"]:
        profile = load_file(available()[row["profile"]])
        yield _model(row["maker"], row["model"], profile, "recording", row["reads"])


def evidence_of(profile: Profile) -> str:
    """Say what a profile's source is worth; raises Unproven."""
    assert profile.path is not None  # noqa: S101  loaded from it
    source = str(tomllib.loads(profile.path.read_text(encoding="utf-8"))["source"])
    for words, evidence in EVIDENCE:
        if re.search(words, source):
            sure = profile.evidence == "two-sources" or evidence == "printed on it"
            return evidence if sure else f"{evidence} (unconfirmed)"
    raise Unproven(f"{profile.path.name}: {source!r} is no evidence that docs/supported.py knows")


def _model(maker: str, name: str, profile: Profile, evidence: str, reads: Iterable[str]) -> Model:
    there = tuple(reads)
    expected = EXPECTED[profile.commodity]
    missing = ", ".join(word for word, quantity in expected.items() if not any(q.startswith(quantity) for q in there))
    return Model(maker, name, profile.commodity, profile.driver, profile.name, evidence, missing)


def _profiles() -> list[Profile]:
    return [load_file(path) for path in available().values()]


def _maker(profile: Profile) -> str | None:
    return next((maker for maker in MAKERS if profile.title.startswith(maker)), None)


def _kind(profile: Profile) -> str:
    cells = (profile.title, profile.commodity, profile.driver, f"`{profile.name}`", evidence_of(profile))
    return f"| {' | '.join(cells)} |"
