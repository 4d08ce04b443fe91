"""Configuration: from a TOML file to frozen tables, or to a list of what to mend and where.

`load` reads a file, `report.check` describes what it would run, `build` turns tables into what drivers and transport
take. What stands here is all that an edge needs; the tables of hub and home are in `customers`.
"""

from gateway.config.errors import ConfigError, Problem
from gateway.config.load import kind_of, load
from gateway.config.models import EdgeConfig, Kind

__all__ = ["ConfigError", "EdgeConfig", "Kind", "Problem", "kind_of", "load"]
