"""One thing that a token may be able to see or do, and what would make it able to."""

from dataclasses import dataclass
from enum import StrEnum

AUTHORIZE = "Authorize the application: POST /v1/integrations/gitlab/authorize."


class Available(StrEnum):
    """Whether the token can do something. `unknown`: only trying it would tell."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a token may be able to see or do.

    `role`: the lowest role that its user needs in the groups and projects concerned. `to_change`: what makes it
    available; None where it is.
    """

    name: str
    does: str
    available: Available
    role: str | None = None
    to_change: str | None = None
