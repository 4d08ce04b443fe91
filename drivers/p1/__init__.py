"""DSMR P1: the customer port of smart meters in the Netherlands, Belgium, Luxembourg and beyond."""
