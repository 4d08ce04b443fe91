"""A display beside what the meter said, as one value: whether both agree, what would explain a difference, the record.

What the display shows is multiplied by `times` where it stands on the transformers' secondary side.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from drivers.decimals import exact
from drivers.quantities import BY_KEY
from gateway.commission.causes import Cause, Evidence, causes
from gateway.commission.compare import Window, between
from gateway.commission.digits import Typed
from gateway.commission.phrases import digits_of, shown_in
from gateway.commission.reading import Sample
from gateway.commission.record import DisplayCheck, Verdict
from gateway.config.models import MeterTable

NEAR = Fraction(1, 50)
"""How far a register of another order may be off: it was read a while after the display was."""


@dataclass(frozen=True)
class Comparison:
    """What was typed between two readings of a meter whose table is `row`; `main` is the register on its display."""

    row: MeterTable
    main: str
    typed: Typed
    before: Sample
    after: Sample
    times: Fraction = Fraction(1)
    transformer: Fraction | None = None
    orders: Mapping[str, Fraction] = field(default_factory=dict)

    @property
    def readable(self) -> bool:
        """Whether the meter said its main register both times."""
        return self.main in self.before.values and self.main in self.after.values

    @property
    def agrees(self) -> bool:
        """Whether the display showed what counts."""
        return self.readable and not causes(self._evidence())

    def causes(self) -> tuple[Cause, ...]:
        """List what would explain the difference, the likeliest first."""
        return causes(self._evidence())

    def counted(self, sample: Sample) -> Fraction | None:
        """Give the main register as it counts, ratio and offset applied; None where the meter did not say it."""
        raw = sample.values.get(self.main)
        return None if raw is None else raw * exact(self.row.ratio) + exact(self.row.offset)

    def record(self, found: tuple[Cause, ...], changes: tuple[str, ...]) -> DisplayCheck:
        """Write down how it came out; `found` are the causes named, `changes` the lines written."""
        unit = shown_in(BY_KEY[self.main].unit)
        before, after = (self.counted(sample) for sample in (self.before, self.after))
        verdict: Verdict = "passed" if self.agrees else "failed"
        return DisplayCheck(
            verdict,
            typed=digits_of(self.typed.value, unit),
            unit=unit,
            before="" if before is None else digits_of(before, unit),
            after="" if after is None else digits_of(after, unit),
            times=f"{float(self.times):g}",
            causes=tuple((cause.kind, cause.fact) for cause in found),
            changes=changes,
            trouble=self.after.error,
        )

    def _evidence(self) -> Evidence:
        shown = Window(self.typed.value, self.typed.value).wider(self.typed.step) * self.times
        keys = [key for key in self.before.values if key in self.after.values and BY_KEY[key].kind == "counter"]
        return Evidence(
            display=shown,
            raw={key: between(self.before.values[key], self.after.values[key]) for key in keys},
            main=self.main,
            ratio=exact(self.row.ratio),
            offset=exact(self.row.offset),
            transformer=self.transformer,
            counts_pulses=self.row.profile.driver == "pulse",
            own_display=self.row.profile.driver != "pulse" and self.row.profile.commodity == "electricity",
            orders={order: Window(value, value).wider(abs(value) * NEAR) for order, value in self.orders.items()},
        )
