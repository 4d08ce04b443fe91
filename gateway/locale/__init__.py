"""Catalogues of words; `update.py` keeps them true to the source."""
