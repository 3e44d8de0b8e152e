"""Whether a trigger can ever fire: looked at when it is made or changed, while somebody is there to mend it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gitlab_hub.builds.triggers.group_resolver import Ancestors
from gitlab_hub.builds.triggers.groups import GroupLookup
from gitlab_hub.builds.triggers.model import Trigger
from gitlab_hub.builds.triggers.ports import Hooks
from gitlab_hub.errors import HubError, NotInGitLab
from gitlab_hub.gitlab.clients import GitLabs
from gitlab_hub.gitlab.errors import ResourceNotFound
from gitlab_hub.gitlab.fields import is_within

UNCHECKED, NO_WEBHOOK, STATUSES_OFF = "place_unchecked", "no_webhook", "report_statuses_off"

CheckTarget = Callable[[Mapping[str, Any]], None]
"""Raises a HubError for a target that the deployer does not allow."""


@dataclass(frozen=True, slots=True)
class TriggerWarning:
    """Something that keeps a trigger from what it is for: a word for programs, and what to do about it."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A trigger with what GitLab says of its group, and what was found."""

    trigger: Trigger
    groups: tuple[int, ...]
    """Ids of the group and of those above it, or of those above its project."""
    known: bool


class TriggerChecks:
    """Looks a trigger's project or group up, and for what brings its events."""

    def __init__(
        self, *, group_lookup: GroupLookup, gitlabs: GitLabs, hooks: Hooks | None, check_target: CheckTarget
    ) -> None:
        self._group_lookup, self._gitlabs, self._hooks, self.check_target = group_lookup, gitlabs, hooks, check_target

    def with_resolved_group(self, trigger: Trigger) -> Checked:
        """A trigger whose group has its id and its present name. Raises NotInGitLab."""
        try:
            if trigger.group is not None:
                return self._of_group(trigger, trigger.group)
            return self._of_project(trigger, trigger.project_id or 0)
        except ResourceNotFound:
            where = f'group "{trigger.group}"' if trigger.group is not None else f"project {trigger.project_id}"
            field = "body.project_id" if trigger.group is None else "body.group"
            raise NotInGitLab(
                f"GitLab shows this integration no {where}. Check its name, and that the token's user is a member.",
                details={"fields": [{"field": field, "problem": "not_found"}]},
            ) from None

    def warnings(self, checked: Checked) -> list[TriggerWarning]:
        """What to mend before the trigger does what it is for."""
        return list(self._warnings(checked))

    def of_target(self, trigger: Trigger) -> Iterator[TriggerWarning]:
        """The deployer may have allowed less since the trigger was made; its builds fail at the target."""
        try:
            self.check_target(trigger.target)
        except HubError as refused:
            yield TriggerWarning(refused.code, str(refused))

    def _of_project(self, trigger: Trigger, project_id: int) -> Checked:
        ancestors = self._group_lookup.project(trigger.integration_id, project_id)
        if ancestors is None:
            return Checked(trigger, (), known=False)
        self._keep_within(trigger, ancestors.path)
        return Checked(trigger, _ids(ancestors), known=True)

    def _of_group(self, trigger: Trigger, path: str) -> Checked:
        group = self._group_lookup.group_by_path(trigger.integration_id, path)
        if group is None:
            return Checked(replace(trigger, group_id=None), (), known=False)
        self._keep_within(trigger, group.full_path)
        ancestors = self._group_lookup.group_ancestors(trigger.integration_id, group.id) or (group,)
        named = replace(trigger, group=group.full_path, group_id=group.id)
        return Checked(named, tuple(each.id for each in ancestors), known=True)

    def _keep_within(self, trigger: Trigger, path: str) -> None:
        """Raises ResourceNotFound for what lies outside the group that the integration is limited to."""
        limit = self._limit(trigger.integration_id)
        if limit is not None and not is_within(path, limit):
            raise ResourceNotFound("It lies outside the integration's group.")

    def _limit(self, integration_id: str) -> str | None:
        """What the integration's group is called now; where GitLab does not say, what it was called when last seen."""
        connection = self._gitlabs.connection(integration_id)
        if connection is None or connection.group_id is None:
            return None if connection is None else connection.group
        found = self._group_lookup.group_ancestors(integration_id, connection.group_id)
        return found[0].full_path if found else connection.group

    def _warnings(self, checked: Checked) -> Iterator[TriggerWarning]:
        trigger = checked.trigger
        yield from self.of_target(trigger)
        if not checked.known:
            yield TriggerWarning(
                UNCHECKED, "GitLab could not be asked whether this project or group exists. Check it again."
            )
        missing = set() if self._hooks is None else self._missing(self._hooks, checked)
        if missing:
            what = ", ".join(sorted(missing))
            yield TriggerWarning(
                NO_WEBHOOK,
                f"No webhook brings these events: {what}. Register one for the project or a group above it "
                f"(POST /v1/integrations/{trigger.integration_id}/webhooks).",
            )
        connection = self._gitlabs.connection(trigger.integration_id)
        if trigger.report_status.enabled and connection is not None and not connection.report_statuses:
            yield TriggerWarning(
                STATUSES_OFF,
                "GitLab will not show the builds: switch the integration's feature report_statuses on "
                f"(PATCH /v1/integrations/{trigger.integration_id}).",
            )

    @staticmethod
    def _missing(hooks: Hooks, checked: Checked) -> set[str]:
        trigger = checked.trigger
        found = hooks.missing(
            trigger.integration_id, trigger.events, project_id=trigger.project_id, groups=checked.groups
        )
        return set(found)


def _ids(ancestors: Ancestors) -> tuple[int, ...]:
    return tuple(group.id for group in ancestors.groups)
