"""From an event to the builds that an integration's triggers want of it."""

from collections.abc import Sequence

from gitlab_hub.builds.book import BuildBook
from gitlab_hub.builds.deciding import Deciding
from gitlab_hub.gitlab.events import HookEvent

MAX_REASONS = 100
NO_TRIGGER, ALREADY_BUILT = "no_trigger", "already_built"


class Builds:
    """Fulfils the webhooks' port. A repeated delivery gives the same builds, and makes none."""

    def __init__(self, deciding: Deciding, book: BuildBook) -> None:
        self._deciding, self._book = deciding, book

    def on_event(
        self, integration_id: str, event: HookEvent, *, delivery_id: str
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Have built what triggers want of an event; gives the ids of its builds, and why there are not more.

        A reason is `<trigger id>: <code>`, or `no_trigger` where no trigger waits for such an event there.
        """
        build_ids: list[str] = []
        reasons: list[str] = []
        decisions = self._deciding.on(integration_id, event, delivery_id=delivery_id)
        if decisions:
            self._book.saw(integration_id, event, delivery_id=delivery_id)
        for trigger, decision in decisions:
            reasons += [f"{trigger.id}: {code}" for code in decision.refusals]
            if decision.request is None:
                continue
            build_id = self._book.request(trigger, decision.request, delivery_id=delivery_id)
            if build_id is None:
                reasons.append(f"{trigger.id}: {ALREADY_BUILT}")
            else:
                build_ids.append(build_id)
        return build_ids, reasons[:MAX_REASONS] if decisions else [NO_TRIGGER]
