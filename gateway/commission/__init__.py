"""Commissioning: an installer proves at the door that Nabd says what each meter's display says, and signs for it."""
