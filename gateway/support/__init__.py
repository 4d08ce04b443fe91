"""The redacted bundle that an owner can give to whoever helps: `nabd support`."""
