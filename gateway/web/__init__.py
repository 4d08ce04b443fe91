"""Pages people see, in Arabic and English."""
