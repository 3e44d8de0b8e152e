"""A stage that is a single scope: one list, or one sweep."""

from collections.abc import AsyncIterator

from gitlab_hub.sync.ports import Scope

ALL = "all"


class OneScope:
    """Lists the one scope; a stage derives from it and only reads."""

    async def size(self) -> int | None:
        """Count the one."""
        return 1

    async def scopes(self, after: str | None) -> AsyncIterator[Scope]:
        """Give the one, unless it is done."""
        if after is None or after < ALL:
            yield Scope(ALL)
