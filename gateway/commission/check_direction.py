"""The second check of a meter: whether the sign of its power is what the installer sees happen."""

from gateway.commission.bench import Bench
from gateway.commission.check_display import Checked
from gateway.commission.digits import western
from gateway.commission.direction import Direction, Flow, judge, power_of
from gateway.commission.phrases import FLOWS, amount, digits_of
from gateway.commission.reading import Sample
from gateway.commission.record import DirectionCheck, Verdict
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
        check = _record(found, flow)
        _tell(bench, found, check, fresh)
        if check.verdict != "failed" or not bench.agreed("again", row.name, N_("Read it again? [y/N]")):
            break
    return check, sample


def _record(found: Direction | None, flow: Flow) -> DirectionCheck:
    if found is None:
        return DirectionCheck("failed", said=flow)
    verdict: Verdict = "skipped" if found.right is None else "passed" if found.right and not found.against else "failed"
    return DirectionCheck(verdict, flow, digits_of(found.power, "W"), found.against)


def _tell(bench: Bench, found: Direction | None, check: DirectionCheck, sample: Sample) -> None:
    if found is None:
        bench.tell(N_("It cannot be read: {error}"), error=bench.speech.paper.number(sample.error))
        return
    power = amount(bench.speech, check.power, "W")
    if found.right is None:
        bench.tell(N_("Its power is {power}: too little to tell a direction."), power=power)
    elif not found.right:
        flow = bench.speech.say(FLOWS["export" if check.said == "import" else "import"])
        text = N_("Its power is {power}, which means {flow}: turn the wires of the meter, or its transformers.")
        bench.tell(text, power=power, flow=flow)
    elif found.against:
        phases = bench.speech.paper.number(", ".join(found.against))
        text = N_("Its power is {power}, but {phases} runs the other way: turn that transformer, or its two wires.")
        bench.tell(text, power=power, phases=phases)
    else:
        bench.tell(N_("Its power is {power}: the direction is right."), power=power)
