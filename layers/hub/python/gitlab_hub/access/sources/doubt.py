"""When a list of accounts that tells of far fewer than before is not believed at once. Pure.

GitLab, or what stands before it, may answer 200 with an empty list. What such a list told would go, and with it the
addresses, second factors and sign-ins of a whole company. So the same rule holds as for removals (`deletion_guard`),
and an empty list is doubted in any case. These lists are no purpose of a run, which none of them makes suspect: where
they stay so short they are believed after a while.
"""

from gitlab_hub.gitlab.account_lists import PENDING_MEMBERS, AccountList
from gitlab_hub.sync.deletion_guard import DeletionTally, is_suspicious_scope

BELIEVED_AFTER_SECONDS = 2 * 86_400 - 3_600
"""So long a list has to be as short before it is believed: they are read once a day, so in three readings."""


def is_doubtful(one: AccountList, stored: int, missing: int) -> bool:
    """Whether so many missing of those that a list told of speak against the list; of a single one nothing does.

    Nobody waiting for an approval any more is what such a list is for.
    """
    if one is PENDING_MEMBERS or missing <= 1:
        return False
    return missing == stored or is_suspicious_scope(DeletionTally(stored, missing))


def told(stored: int, missing: int) -> str:
    """Say it, with what happens next."""
    return (
        f"Of {stored} accounts that the list told of {missing} are missing; what it told of them stays. Where it is as "
        "short for two days it is believed."
    )
