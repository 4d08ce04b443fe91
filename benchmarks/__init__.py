"""Figures anyone can reproduce: `./run bench` runs them all, each prints its figure beside its target."""
