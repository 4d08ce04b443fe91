"""A year of homes in minutes: registers as meters show them, with labelled mishaps, all from a seed.

1. A place (places.py) gives weather, weekend and holidays, a family (family.py) its people, machines and absences.
2. Each day (day.py) becomes draws of electricity, water and gas: who is awake opens taps and switches things on.
3. Draws become exact sums of minutes (series.py); a meter shows them as a register every step.
4. A script (script.py) lets things happen: uses that nobody wants (uses.py), faults of meters (faults.py), and three
   days of minutes at the panel with an overload and a bad voltage (panel.py). Each leaves a label.
5. `homes` gives it all without a file, files.py writes it as `nabd alerts replay` reads it.
"""

from simulator.year.homes import Home, homes
from simulator.year.label import Label, Mark, Row
from simulator.year.places import YearError

__all__ = ["Home", "Label", "Mark", "Row", "YearError", "homes"]
