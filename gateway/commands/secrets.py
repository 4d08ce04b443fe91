"""Which secrets a configuration from afar may use: those that the gateway's own meters have, and no other file.

A meter's password goes over its wire. Whoever could name any file and any host would read the broker's password.
"""

from gateway.config.models import EdgeConfig
from gateway.config.secret import SecretFile


def strange(before: EdgeConfig, new: EdgeConfig) -> list[str]:
    """Name the secrets of `new` that no meter of `before` has, by the files they lie in."""
    known = {secret.source for secret in _secrets(before)}
    return sorted({secret.source for secret in _secrets(new)} - known)


def _secrets(config: EdgeConfig) -> list[SecretFile]:
    named = [secret for row in config.meter for secret in (row.key_file, row.auth_key_file, row.password_file)]
    return [secret for secret in named if secret is not None]
