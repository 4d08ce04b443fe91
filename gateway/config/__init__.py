"""Configuration: from a TOML file to frozen tables, or to a list of what to mend and where.

`load` reads a file, `check` describes what it would run, `build` turns tables into what drivers and transport take.
"""

from gateway.config.errors import ConfigError, Problem
from gateway.config.load import kind_of, load
from gateway.config.models import EdgeConfig, HomeConfig, HubConfig, Kind
from gateway.config.report import check

__all__ = ["ConfigError", "EdgeConfig", "HomeConfig", "HubConfig", "Kind", "Problem", "check", "kind_of", "load"]
