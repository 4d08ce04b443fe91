"""A simulated DLMS meter: its objects, its associations, and its links over HDLC and TCP."""
