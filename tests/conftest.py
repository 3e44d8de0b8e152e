"""How the suite is shared out when several processes run it, and what all of its tests together must not do."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

# No test of this suite measures time: on a busy machine a single example may wait for a fifth of a second.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

_OURS = re.compile(r"[A-Z_]{3,}")
"""The beginnings of partition keys as the hub spells them; tests of the fake itself use others."""

TOGETHER = ("tests/end_to_end", "tests/browser")
"""Folders whose tests share servers."""


class _ByServers(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps a file's tests together, and all that need the same servers: each group starts them once.

    `--dist loadgroup` does not: xdist 3.8 writes its groups into an attribute that pytest 9.2 no longer reads, so every
    test went to whichever process was free, and two bundles were deployed.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((folder for folder in TOGETHER if path.startswith(f"{folder}/")), path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByServers:
    """What shares the tests out to the processes."""
    return _ByServers(config, log)


@pytest.fixture(scope="session", autouse=True)
def _every_partition_is_granted() -> Iterator[None]:
    """No code may use a partition that no role may touch: on AWS it would be refused, and nowhere else."""
    yield
    from tests.fakes.table import HEADS  # noqa: PLC0415 - the template is read only where a table was used

    if used := {head for head in HEADS if _OURS.fullmatch(head)}:
        from tests.unit.template.rights import heads  # noqa: PLC0415

        assert sorted(used - heads()) == [], "add them to dynamodb:LeadingKeys of the roles that use them"
