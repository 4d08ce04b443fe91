"""Desired settings as a hub sends them on the topic `settings`: what the edge must know of its meters' customers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.message import Id, Key, MessageError

MOST = 2**53
"""Revisions beyond this lose their last digit in programs that count in floats."""

PLACE = 100
"""Characters of a place that an error shows: names in a document are as long as its sender likes."""


class MeterSettings(BaseModel):
    """What is known of one meter; keys of newer hubs are ignored.

    `away` says that nobody is at home, `pv` that what is made on the roof may flow out, `limits` what the meter can
    count at most in an hour, by key in base units. `bill_limit` is what the customer wants to spend in a billing
    period, in the tariff's currency. `budget_m` is how many times in 56 days unusual use may be told, `known_slots` are
    hours of the week in which much use is normal here (0 is Monday's first), and `factors` by how much a rule's
    threshold was moved by what the customer answered to its alerts.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)

    away: bool = False
    rating_a: Annotated[float, Field(gt=0, le=10_000)] | None = None
    limits: Annotated[dict[Key, Annotated[float, Field(gt=0, le=1e12)]], Field(max_length=50)] = Field(
        default_factory=dict
    )
    pv: bool | None = None
    bill_limit: Annotated[float, Field(gt=0, le=1e12)] | None = None
    budget_m: Annotated[int, Field(ge=1, le=28)] = 4
    known_slots: Annotated[frozenset[Annotated[int, Field(ge=0, lt=168)]], Field(max_length=168)] = frozenset()
    factors: Annotated[dict[Key, Annotated[float, Field(ge=0.1, le=3)]], Field(max_length=50)] = Field(
        default_factory=dict
    )

    def factor(self, rule: str) -> float:
        """Give what a rule's threshold is multiplied by; safety rules do not ask."""
        return self.factors.get(rule, 1.0)


UNKNOWN = MeterSettings()


class Settings(BaseModel):
    """The whole document; `live_every_s` is the shortest time between two live values of a meter, in seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, defer_build=True)

    v: Literal[1] = 1
    rev: Annotated[int, Field(strict=True, ge=0, le=MOST)] = 0
    live_every_s: Annotated[float, Field(ge=0, le=3600)] | None = None
    meters: Annotated[dict[Id, MeterSettings], Field(max_length=2000)] = Field(default_factory=dict)

    def of(self, meter: str) -> MeterSettings:
        """Give what is known of a meter; nothing, where the document is silent."""
        return self.meters.get(meter, UNKNOWN)


def decode(payload: bytes) -> Settings:
    """Validate a settings document; raises MessageError."""
    try:
        return Settings.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ascii(".".join(str(part) for part in first["loc"])[:PLACE])[1:-1]
        raise MessageError(f"settings: {place}: {first['msg']}") from None
