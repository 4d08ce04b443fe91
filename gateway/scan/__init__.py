"""`nabd scan`: which ports there are, what lives on them, and the configuration that reads it."""
