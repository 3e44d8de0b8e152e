"""Settings that are plain texts, read as they are: functions that start often need no more, and no validation models.

`settings` checks the others; both spell a name alike, and both mean the same by a missing one.
"""

from collections.abc import Mapping
from typing import Literal

Required = Literal[
    "integrations_table",
    "access_table",
    "pipelines_table",
    "deliveries_table",
    "sync_accounts_queue_url",
    "sync_pipelines_queue_url",
    "deliveries_queue_url",
    "builds_queue_url",
    "builds_bus",
    "secret_prefix",
    "master_key_secret",
    "owner_token_secret",
]


class MissingSettingError(Exception):
    """A function needs an environment variable that it does not have."""


def env(environ: Mapping[str, str], name: Required) -> str:
    """Give a setting as it stands; empty where there is none."""
    return environ.get(name.upper(), "")


def require_env(environ: Mapping[str, str], name: Required) -> str:
    """Give a setting that a function cannot do without. Raises MissingSettingError."""
    value = env(environ, name)
    if not value:
        raise MissingSettingError(f"Set the environment variable {name.upper()} of this function.")
    return value
