"""Leads through one meter: its name, its transformers, its display beside what was read, and its direction.

1. The meter is read, the installer types what its display shows, the meter is read once more (compare.py).
2. Where both differ, the likely causes are named (causes.py), and what mends them is written only after a yes. Then
   the same numbers are compared again; after another order of words the meter is read anew.
3. Power's sign is held against what the installer sees (direction.py).

All that is done to the world is handed in (bench.py); what was found is a record.
"""

import re
from dataclasses import replace

from gateway.commission.bench import Bench
from gateway.commission.causes import Change
from gateway.commission.check_direction import check_direction
from gateway.commission.check_display import check_display, write
from gateway.commission.errors import Unreadable
from gateway.commission.phrases import LABEL_LIMIT
from gateway.commission.reading import Sample
from gateway.commission.record import MeterRecord
from gateway.commission.transformer import Transformer, may_have_one, read_transformer
from gateway.config.models import MeterTable
from gateway.i18n import N_
from gateway.message import ID
from gateway.notify.speech import clean

TRIES = 5
"""So often an answer may be no answer before it counts as none."""


async def commission_meter(bench: Bench, row: MeterTable, place: str) -> MeterRecord:
    """Lead through one meter, and write down what was found; `place` is "1/3"."""
    number, name, title = bench.speech.paper.number(place), bench.speech.name(row.name), row.profile.title
    bench.tell(N_("Meter {number}: {name}, {model}"), number=number, name=name, model=bench.speech.paper.number(title))
    row, label = await _name(bench, row)
    transformer = _transformer(bench, row)
    checked = await check_display(bench, row, transformer)
    direction, last = await check_direction(bench, checked)
    return replace(_about(checked.row, last), label=label, display=checked.check, direction=direction,
                   transformer=transformer.label if transformer else "")  # fmt: skip


async def _name(bench: Bench, row: MeterTable) -> tuple[MeterTable, str]:
    """Ask what people call it; one that the configuration can hold may become its name there."""
    label = clean(bench.ask("label", row.name, N_("What do people call it? (Enter keeps its name)")), LABEL_LIMIT)
    if not label or label == row.name:
        return row, row.name
    asked = N_("Call it {name} in the configuration too? Its history begins anew under it. [y/N]")
    if re.fullmatch(ID, label) and bench.agreed("rename", row.name, asked, name=bench.speech.name(label)):
        return await write(bench, row, Change("name", f'"{label}"')) or row, label
    return row, label


def _transformer(bench: Bench, row: MeterTable) -> Transformer | None:
    if not may_have_one(row):
        return None
    for _ in range(TRIES):
        text = bench.ask(
            "transformer", row.name, N_("Current transformers, as on their label, such as 250/5? (Enter: none)")
        )
        try:
            return read_transformer(text)
        except Unreadable as error:
            bench.console.tell(str(error))
    return None


def _about(row: MeterTable, sample: Sample) -> MeterRecord:
    """Write down what a meter is, how it is configured, and what it said last."""
    return MeterRecord(
        name=row.name,
        label=row.name,
        model=row.profile.title,
        profile=row.profile.name,
        bus=row.bus,
        address="" if row.address is None else str(row.address),
        nameplate=tuple((key, clean(text, LABEL_LIMIT)) for key, text in sorted(sample.nameplate.items())),
        ratio=f"{row.ratio:g}",
        offset=f"{row.offset:.10g}",
        quantities=row.profile.quantities,
        at=sample.at,
        values=tuple((key, f"{float(value):.12g}") for key, value in sorted(sample.values.items())),
    )
