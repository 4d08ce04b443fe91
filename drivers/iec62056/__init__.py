"""IEC 62056-21: electricity, heat and water meters with an optical head or a current loop (D0)."""
