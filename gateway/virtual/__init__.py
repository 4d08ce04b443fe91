"""Virtual meters: sums and differences of meters that are read, computed at the edge as readings come in.

`formula` reads what the configuration says, `additive` knows what may be added up, `compute` makes readings of
readings, `build` turns the tables of a configuration into what is computed.
"""
