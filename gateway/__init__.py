"""Reading to broker, store and customer: the edge, the hub, and the home that joins both."""

VERSION = "0.1.0"
