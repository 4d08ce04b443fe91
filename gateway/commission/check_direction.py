"""The second check of a meter: whether the sign of its power is what the installer sees happen."""

from dataclasses import replace
from fractions import Fraction

from gateway.commission.bench import Bench
from gateway.commission.check_display import Checked
from gateway.commission.digits import western
from gateway.commission.direction import Direction, Flow, judge, power_of
from gateway.commission.phrases import FLOWS, amount, digits_of
from gateway.commission.reading import Sample
from gateway.commission.record import DirectionCheck
from gateway.i18n import N_

TRIES = 5
"""So often wires are turned and looked at again."""

FLOW_OF: dict[str, Flow] = {"1": "import", "import": "import", "2": "export", "export": "export"}


async def check_direction(bench: Bench, checked: Checked) -> tuple[DirectionCheck, Sample]:
    """Ask what happens now, read once more and compare; gives the last sample beside it."""
    row, sample = checked.row, checked.sample
    check = DirectionCheck("skipped")
    if power_of(sample.values) is None:
        return check, sample
    answer = bench.ask("flow", row.name, N_("What happens now: 1 consuming, 2 feeding in? (Enter: not known)"))
    flow = FLOW_OF.get(western(answer))
    if flow is None:
        return check, sample
    for _ in range(TRIES):
        fresh = await bench.read(row)
        # The check's own sample keeps the nameplate where this one failed.
        sample = sample if fresh.error else fresh
        found = judge(fresh.values, flow)
        if found is None:
            check = DirectionCheck("failed", said=flow)
            bench.tell(N_("It cannot be read: {error}"), error=bench.speech.paper.number(fresh.error))
        else:
            check = _look(bench, row.name, found, flow)
        if check.verdict != "failed" or not bench.agreed("again", row.name, N_("Read it again? [y/N]")):
            break
    return check, sample


def _look(bench: Bench, meter: str, found: Direction, flow: Flow) -> DirectionCheck:
    """Tell what the sign means, and ask where one phase runs against the others: panels may feed in on it."""
    check = DirectionCheck("passed", flow, digits_of(Fraction(round(found.power)), "W"))
    power = amount(bench.speech, check.power, "W")
    if found.right is None:
        bench.tell(N_("Its power is {power}: too little to tell a direction."), power=power)
        return replace(check, verdict="skipped")
    if not found.right:
        other = FLOWS["export" if flow == "import" else "import"]
        meant = bench.speech.say(other)
        text = N_("Its power is {power}, which means {flow}: turn the wires of the meter, or its transformers.")
        bench.tell(text, power=power, flow=meant)
        return replace(check, verdict="failed")
    bench.tell(N_("Its power is {power}: the direction is right."), power=power)
    if not found.against:
        return check
    phases = bench.speech.paper.number(", ".join(found.against))
    if bench.agreed("mixed", meter, N_("But {phases} runs the other way. Is that so, by panels? [y/N]"), phases=phases):
        return replace(check, against=found.against)
    bench.tell(N_("Turn the transformer of {phases}, or its two wires."), phases=phases)
    return replace(check, verdict="failed", against=found.against)
