"""Series stores behind one contract."""
