"""How often the lists of a project are asked for where each project costs requests of its own. Pure; unix seconds."""

ACTIVE_SECONDS = 1_800
"""A project in which something happened within so long is asked in each sync."""

SHARE = 4
"""Others rest for a quarter of the time for which nothing has happened."""

LONGEST_REST_SECONDS = 6 * 3_600

OFF_REST_SECONDS = 3_600
"""How long a project rests in which CI/CD is switched off: it shows its pipelines to nobody."""


def next_look(*, looked_at: int | None, active_at: int | None) -> int | None:
    """When a project is to be asked again, by when it was asked, and something happened, last; None = in each sync."""
    if looked_at is None or active_at is None or looked_at - active_at < ACTIVE_SECONDS:
        return None
    return looked_at + min(LONGEST_REST_SECONDS, (looked_at - active_at) // SHARE)
