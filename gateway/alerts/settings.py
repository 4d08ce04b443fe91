"""Desired settings as a hub sends them on the topic `settings`: what the edge must know of its meters' customers."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.message import Id, MessageError


class MeterSettings(BaseModel):
    """What is known of one meter; keys of newer hubs are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    rating_a: Annotated[float, Field(gt=0, le=10_000)] | None = None


class Settings(BaseModel):
    """The whole document."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: Literal[1] = 1
    meters: Annotated[dict[Id, MeterSettings], Field(max_length=2000)] = Field(default_factory=dict)


def decode(payload: bytes) -> Settings:
    """Validate a settings document; raises MessageError."""
    try:
        return Settings.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise MessageError(f"settings: {place}: {first['msg']}") from None
