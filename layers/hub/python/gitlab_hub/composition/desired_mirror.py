"""The access sync's rows as access-as-code needs them."""

from collections.abc import Mapping
from datetime import UTC, datetime

from gitlab_hub.access.reader import AccessReader
from gitlab_hub.access.wanted import GrantFilter
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.provisioning.desired.model import Held, Place

_PAGE = 1_000


class DesiredMirror:
    """Who and what the mirror knows, and who has what. All calls block."""

    def __init__(self, reader: AccessReader) -> None:
        self._reader = reader

    def account(self, integration_id: str, account_id: int | None, username: str | None) -> int | None:
        """The id of an account by its id or username; None: it is not known."""
        if account_id is not None:
            found = self._reader.account(integration_id, account_id)
        else:
            found = self._reader.account_named(integration_id, username or "")
        return None if found is None else found.id

    def resource(self, integration_id: str, kind: ResourceType, number: int | None, path: str | None) -> int | None:
        """The id of a group or project by its id or full path; None: the integration does not cover it."""
        if number is None:
            place = self._reader.place_at(integration_id, path or "")
            number = place.id if place is not None and place.type is kind else None
        if number is None or self._reader.resource(integration_id, kind, number) is None:
            return None
        return number

    def held(self, integration_id: str, place: Place) -> Mapping[int, Held]:
        """What accounts have in a group or project itself, by their ids."""
        found: dict[int, Held] = {}
        after = None
        while True:
            page = self._reader.grants(integration_id, GrantFilter(resource=place), after=after, limit=_PAGE)
            found |= {one.account_id: Held(one.access_level, _day(one.ends_at)) for one in page.values}
            if page.next is None:
                return found
            after = page.next


def _day(ends_at: int | None) -> str | None:
    return None if ends_at is None else datetime.fromtimestamp(ends_at, UTC).date().isoformat()
