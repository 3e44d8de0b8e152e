"""Ids of the hub's own, which name the integration they belong to.

So whoever gets an id in a path knows whose it is before anything is read: the guard of the API refuses foreign ones in
one place, and a row is found by its id with one strongly consistent read.
"""

import re

_INTEGRATION = "int_"
_OWNED = re.compile(r"[a-z]+_([A-Za-z0-9-]{1,64})_[A-Za-z0-9-]{1,64}", re.ASCII)


def owned_id(prefix: str, integration_id: str, unique: str) -> str:
    """Make an id: ("hook", "int_0a1b", "77") → "hook_0a1b_77". `unique` is letters, digits and hyphens."""
    made = f"{prefix}_{integration_id.removeprefix(_INTEGRATION)}_{unique}"
    if owner_of(made) != integration_id:
        raise ValueError("An id is made of a lower-case prefix, an integration's id, and letters, digits or hyphens.")
    return made


def owner_of(owned: str) -> str | None:
    """Name the integration that an id belongs to; None where it is no id of this kind."""
    match = _OWNED.fullmatch(owned)
    return f"{_INTEGRATION}{match[1]}" if match else None
