"""Telegrams that an installed wmbusmeters has decoded: lines of JSON, for the makers' own formats we do not read."""
