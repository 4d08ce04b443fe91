"""The scenarios that come with Nabd: config/scenarios in a checkout, simulator/scenarios once installed."""

from pathlib import Path

_PACKAGED = Path(__file__).parent / "scenarios"
_CHECKOUT = Path(__file__).parent.parent / "config" / "scenarios"
SHIPPED = _PACKAGED if _PACKAGED.is_dir() else _CHECKOUT


def scenario_path(name: str) -> Path:
    """Find a scenario by its name or by the path of its file."""
    shipped = SHIPPED / f"{name}.toml"
    return shipped if shipped.is_file() else Path(name)
