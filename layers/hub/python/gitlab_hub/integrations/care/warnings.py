"""When to tell of a token that will expire, and when to rotate it."""

DAY = 86_400
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
