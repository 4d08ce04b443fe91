"""Wired M-Bus, and the data records that wireless M-Bus carries too."""
