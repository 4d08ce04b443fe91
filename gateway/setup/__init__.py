"""What `nabd setup` asks, and the configuration it writes of the answers."""
