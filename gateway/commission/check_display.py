"""The first check of a meter: what its display shows beside what was read, and what mends a difference."""

from dataclasses import dataclass, replace
from fractions import Fraction

from drivers.profiles import ProfileError
from drivers.quantities import BY_KEY
from gateway.commission.bench import Bench
from gateway.commission.causes import Cause, Change
from gateway.commission.digits import Typed, read_display
from gateway.commission.display import Comparison
from gateway.commission.errors import CommissionError, Unreadable
from gateway.commission.phrases import amount, cause, digits_of, shown_in, unit_name
from gateway.commission.reading import Sample
from gateway.commission.record import DisplayCheck
from gateway.commission.transformer import Transformer
from gateway.config.errors import ConfigError
from gateway.config.models import MeterTable
from gateway.i18n import N_
from gateway.scaling import main_of

TRIES = 5
"""So often a display is typed before the meter is left as it is."""

SAID = ("power_w", "voltage_v", "voltage_l1_v", "current_a", "current_l1_a", "water_flow_l_h")
"""What is shown beside the register, so that an installer sees that the meter lives."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A meter's table as it stands now, the last sample of it, and how the check came out."""

    row: MeterTable
    sample: Sample
    check: DisplayCheck


async def check_display(bench: Bench, row: MeterTable, transformer: Transformer | None) -> Checked:
    """Compare until both agree, or the installer leaves it."""
    main = main_of(row.profile)
    before = await _read(bench, row)
    checked = Checked(row, before, DisplayCheck("failed" if before.error else "skipped", trouble=before.error))
    if main is None:
        return checked
    times: Fraction | None = None
    named: tuple[Cause, ...] = ()
    for _ in range(TRIES):
        typed = _typed(bench, checked.row, main)
        if typed is None:
            break
        times = _times(bench, row, transformer) if times is None else times
        after = await bench.read(checked.row)
        ratio = transformer.ratio if transformer else None
        comparison = Comparison(checked.row, main, typed, before, after, times, ratio)
        if not comparison.agrees:
            comparison = replace(comparison, orders=await bench.orders(checked.row, main))
        mended = await _mend(bench, comparison)
        named += tuple(one for one in mended.causes if one not in named)
        written = checked.check.changes + mended.written
        checked = Checked(mended.comparison.row, after, mended.comparison.record(named, written))
        if mended.comparison.agrees or not (mended.read_anew or _again(bench, checked.row)):
            break
        before = await _read(bench, checked.row)
    _conclude(bench, checked.check)
    return checked


async def _read(bench: Bench, row: MeterTable) -> Sample:
    """Read until it can be read, or the installer goes on; show what tells that the meter lives."""
    for _ in range(TRIES):
        sample = await bench.read(row)
        if not sample.error:
            break
        bench.tell(N_("It cannot be read: {error}"), error=bench.speech.paper.number(sample.error))
        if not _again(bench, row):
            break
    keys = [key for key in dict.fromkeys((main_of(row.profile) or "", *SAID)) if key in sample.values]
    for key in keys:
        unit = shown_in(BY_KEY[key].unit)
        said = amount(bench.speech, digits_of(sample.values[key], unit), unit)
        bench.console.tell(f"  {bench.speech.paper.number(BY_KEY[key].name)}: {said}")
    return sample


def _typed(bench: Bench, row: MeterTable, main: str) -> Typed | None:
    """Ask until the answer is a number, or none."""
    base = BY_KEY[main].unit
    unit = unit_name(bench.speech, shown_in(base))
    for _ in range(TRIES):
        asked = N_("What does its display show, in {unit}? (Enter: not checked)")
        text = bench.ask("display", row.name, asked, unit=unit)
        if not text:
            return None
        try:
            return read_display(text, base)
        except Unreadable as error:
            bench.console.tell(str(error))
    return None


def _times(bench: Bench, row: MeterTable, transformer: Transformer | None) -> Fraction:
    """Ask on which side of its transformers the display stands; most meters that know them show the primary side."""
    if transformer is None:
        return Fraction(1)
    text = N_("Is the display already multiplied by the transformers? [Y/n]")
    secondary = bench.ask("side", row.name, text).lower() in {"n", "no", "ل", "لا", "secondary"}
    return transformer.ratio if secondary else Fraction(1)


@dataclass(frozen=True, slots=True)
class _Mended:
    """A comparison after what was changed for it, the causes named first, the lines written."""

    comparison: Comparison
    causes: tuple[Cause, ...] = ()
    written: tuple[str, ...] = ()
    read_anew: bool = False


async def _mend(bench: Bench, comparison: Comparison) -> _Mended:
    """Name what would explain a difference, and write what the installer agrees to."""
    done = _Mended(comparison)
    while not done.comparison.agrees:
        found = done.comparison.causes()
        _tell(bench, done.comparison, found)
        change = _chosen(bench, done.comparison.row, found)
        row = await write(bench, done.comparison.row, change) if change else None
        done = replace(done, causes=done.causes or found)
        if change is None or row is None:
            break
        line = f"{change.key} = {change.value}"
        done = replace(
            done,
            comparison=replace(done.comparison, row=row),
            written=(*done.written, line),
            read_anew=change.key == "order",
        )
        if done.read_anew or len(done.written) == TRIES:
            break
    return done


def _tell(bench: Bench, comparison: Comparison, found: tuple[Cause, ...]) -> None:
    read = comparison.counted(comparison.after)
    unit = shown_in(BY_KEY[comparison.main].unit)
    typed = amount(bench.speech, digits_of(comparison.typed.value * comparison.times, unit), unit)
    if read is None:
        bench.tell(N_("The display shows {typed}, and nothing was read."), typed=typed)
    else:
        said = amount(bench.speech, digits_of(read, unit), unit)
        bench.tell(N_("The display shows {typed}, Nabd reads {read}: they differ."), typed=typed, read=said)
    for one in found:
        bench.console.tell(f"  - {cause(bench.speech, one.kind, one.fact, unit)}")


def _chosen(bench: Bench, row: MeterTable, found: tuple[Cause, ...]) -> Change | None:
    """Offer each change, the likeliest first."""
    for one in found:
        if one.change is not None:
            line = bench.speech.paper.number(f"{one.change.key} = {one.change.value}")
            asked = N_("Write {line} into the configuration? [y/N]")
            if bench.agreed("change", row.name, asked, line=line):
                return one.change
    return None


async def write(bench: Bench, row: MeterTable, change: Change) -> MeterTable | None:
    """Write a change and give the table as it stands now; None, and a reason told, where it could not be written."""
    try:
        return await bench.write(row.name, change)
    except (ConfigError, CommissionError, ProfileError, OSError) as error:
        bench.tell(N_("Nothing was written: {error}"), error=bench.speech.paper.number(str(error)))
        return None


def _again(bench: Bench, row: MeterTable) -> bool:
    return bench.agreed("again", row.name, N_("Read it again? [y/N]"))


def _conclude(bench: Bench, check: DisplayCheck) -> None:
    if check.verdict == "passed":
        bench.tell(N_("Display and reading agree."))
    elif check.verdict == "failed":
        bench.tell(N_("Display and reading do not agree; the report says so."))
