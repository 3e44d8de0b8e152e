"""The group an integration is limited to: its id counts, its path is what GitLab calls it at the moment."""

from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from gitlab_hub.errors import NotFound
from gitlab_hub.integrations.errors import DuplicateIntegration
from gitlab_hub.integrations.model import Integration, IntegrationWithCredentials, identity_of
from gitlab_hub.integrations.store import Change, IntegrationStore
from gitlab_hub.integrations.verification.checks import Facts


class Place(NamedTuple):
    """What GitLab said when it was asked for a group by its id, or by its path where no id was known."""

    asked: int | str
    id: int
    path: str


def place_seen(integration: Integration, facts: Facts) -> Place | None:
    """What a verification of an integration has learned about its group."""
    if integration.group_key is None or facts.group is None or facts.group_id is None:
        return None
    return Place(integration.group_key, facts.group_id, facts.group)


def keep_group(store: IntegrationStore, integration_id: str, place: Place) -> None:
    """Keep where an integration's group is by now, and which one it is where only its path was known."""
    with suppress(NotFound):
        try:
            store.change(integration_id, lambda found: at_place(found, place))
        except DuplicateIntegration:
            # Somebody has connected the group once more, while this one was known by its former path. Both go on.
            store.change(integration_id, lambda found: at_place(found, place, claims=False))


def at_place(found: IntegrationWithCredentials, place: Place, *, claims: bool = True) -> Change | None:
    """The change of an integration to its group's id and path; None where they are known, or it has another group.

    An id that is new is also the integration's identity from now on, unless it `claims` nothing.
    """
    was = found.integration
    if place.asked != was.group_key or (place.id, place.path) == (was.group_id, was.group):
        return None
    becomes = replace(was, group=place.path, group_id=place.id)
    if was.group_id is None and claims:
        identity = identity_of(was.host_url, was.account.id, place.path, place.id)
        becomes = replace(becomes, identity=identity)
    return Change(integration=becomes)
