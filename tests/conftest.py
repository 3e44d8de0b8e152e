"""How the suite is shared out when several processes run it, and what all of its tests together must not do."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# No test of this suite measures time: on a busy machine a single example may wait for a fifth of a second.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_OURS = re.compile(r"[A-Z_]{3,}")
"""The beginnings of partition keys as the hub spells them; tests of the fake itself use others."""

STACK = Path(__file__).parent / "end_to_end"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a file's tests together, and all that need the deployed bundle: each group starts its servers once."""
    for item in items:
        group = "stack" if STACK in item.path.parents else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session", autouse=True)
def _every_partition_is_granted() -> Iterator[None]:
    """No code may use a partition that no role may touch: on AWS it would be refused, and nowhere else."""
    yield
    from tests.fakes.table import HEADS  # noqa: PLC0415 - the template is read only where a table was used

    if used := {head for head in HEADS if _OURS.fullmatch(head)}:
        from tests.unit.template.rights import heads  # noqa: PLC0415

        assert sorted(used - heads()) == [], "add them to dynamodb:LeadingKeys of the roles that use them"
