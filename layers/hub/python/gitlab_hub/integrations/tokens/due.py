"""When an integration's tokens are to be looked after next, see `storage/due.py`.

Whatever changes an integration has it looked at by the next tick: that row is part of the change itself.
"""

import zlib

from gitlab_hub.integrations.model import Credential, CredentialKind, Integration
from gitlab_hub.integrations.tokens.vault import TokenSet
from gitlab_hub.storage.due import AT_ONCE, Due, DueRows
from gitlab_hub.storage.ports import Table

DAY = 86_400
RETRY_SECONDS = 30
"""When one is looked at again whose look has not come to a good end: by the next tick, behind those that wait."""


def due_token_checks(table: Table) -> DueRows:
    """The integrations whose tokens are to be looked after."""
    return DueRows(table, "care")


def changed(integration: Integration) -> Due:
    """The look that a change of an integration asks for; `integration` is what it has become."""
    return Due(integration.id, AT_ONCE, f"integration {integration.version}")


def daily(integration_id: str, now: int) -> Due:
    """The look that every integration has once a day, whatever else was noted, each at an hour of its own."""
    own = zlib.crc32(integration_id.encode())
    return Due(integration_id, now + (own - now) % DAY, "daily")


# When to tell of a token that will expire, when to rotate it, and when to look at it again.

PROACTIVE_SHARE = 0.75
WARN_DAYS = (30, 14, 7, 1)
ROTATE_DAYS = 7


def due_warning(expires_at: int | None, now: int, *, told: int | None) -> int | None:
    """The distance in days that is to be told of now; None where there is none, or it was told already.

    After a long silence only the nearest distance is told, not every one that was passed meanwhile.
    """
    if expires_at is None:
        return None
    reached = [days for days in WARN_DAYS if expires_at - now <= days * DAY]
    if not reached or (told is not None and told <= min(reached)):
        return None
    return min(reached)


def rotation_due(expires_at: int | None, now: int) -> bool:
    """Whether a token is near enough to its end, and has not reached it."""
    return expires_at is not None and 0 < expires_at - now <= ROTATE_DAYS * DAY


def next_check(credential: Credential, tokens: TokenSet | None, now: int) -> int | None:
    """The moment at which there will be something to do for a credential (`tokens` = its pair); None = not foreseen.

    A pair is renewed at three quarters of its life; an expiry is told of at each of its distances.
    """
    moments = list[int]()
    if tokens is not None and tokens.issued_at is not None and tokens.expires_at is not None:
        moments.append(tokens.issued_at + int(PROACTIVE_SHARE * (tokens.expires_at - tokens.issued_at)))
    if credential.kind != CredentialKind.OAUTH and credential.token_expires_at is not None:
        # The last week is also the one in which it may be rotated. Those that are over were told.
        ahead = (credential.token_expires_at - days * DAY for days in WARN_DAYS)
        moments += [moment for moment in ahead if moment > now]
    return min(moments, default=None)
