"""Back to the state in which the box was bought: `nabd factory-reset`."""
