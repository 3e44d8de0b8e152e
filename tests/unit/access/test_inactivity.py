import pytest

from gitlab_hub.access.model import Account
from gitlab_hub.access.wanted import DAY, is_inactive

NOW = 1_772_323_200  # 2026-03-01 00:00 UTC
OLD = NOW - 200 * DAY


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        (Account(id=1, last_activity_on="2026-02-20"), False),
        (Account(id=1, last_activity_on="2025-11-01"), True),
        (Account(id=1, last_activity_on="2025-12-01"), False),
        (Account(id=1, last_activity_on="2025-11-30"), True),
        (Account(id=1, last_sign_in_at=OLD), True),
        (Account(id=1, last_sign_in_at=OLD, current_sign_in_at=NOW - DAY), False),
        (Account(id=1, last_activity_on="2025-01-01", last_sign_in_at=NOW - DAY), False),
        (Account(id=1, activity_source="users", created_at=OLD), True),
        (Account(id=1, activity_source="users", created_at=NOW - DAY), False),
        (Account(id=1, created_at=OLD), False),
        (Account(id=1, activity_source="users"), False),
    ],
)
def test_only_known_and_old_activity_counts_against_an_account(account: Account, *, expected: bool) -> None:
    assert is_inactive(account, days=90, now=NOW) is expected


def test_the_day_of_an_activity_counts_to_its_end() -> None:
    account = Account(id=1, last_activity_on="2025-12-01")
    assert not is_inactive(account, days=90, now=NOW + DAY // 2)
    assert is_inactive(account, days=90, now=NOW + DAY)
