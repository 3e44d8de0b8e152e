"""Builds: every build once, every change once, and a message for whatever is left to do."""

from collections.abc import Callable, Sequence

from gitlab_hub.builds.runs.actions import new_actions, pending_actions, schedule_retry
from gitlab_hub.builds.runs.claims import Claim, blocks, dedupe_id, rebuild_id
from gitlab_hub.builds.runs.model import Build, new_build
from gitlab_hub.builds.runs.ref_history import RefHistories
from gitlab_hub.builds.runs.store import BuildStore, CreateResult
from gitlab_hub.builds.triggers.matching import TriggerMatcher
from gitlab_hub.builds.triggers.model import BuildRequest, Trigger
from gitlab_hub.errors import Conflict
from gitlab_hub.gitlab.webhooks.parse import HookEvent
from gitlab_hub.storage.ports import ConditionFailed, OrderedQueue, StorageUnavailable

SCHEMA = 1
_TRIES = 10


class BuildService:
    """Rows first, messages second: a crash in between leaves a row with `due_at`, which the schedule finds."""

    def __init__(
        self, store: BuildStore, histories: RefHistories, queue: OrderedQueue, now: Callable[[], float]
    ) -> None:
        self._store, self._histories, self._queue, self._now = store, histories, queue, now

    def record_ref_change(self, integration_id: str, event: HookEvent, *, delivery_id: str) -> None:
        """Note that a push deleted a branch or tag, or made it anew: builds from before its end do not count for it."""
        if event.deletes_ref or event.creates_ref:
            number, now = self._store.count(integration_id), int(self._now())
            self._histories.record(integration_id, event, delivery_id=delivery_id, number=number, now=now)

    def request(self, trigger: Trigger, request: BuildRequest, *, delivery_id: str) -> str | None:
        """Have a commit built by a trigger once; gives the build's id, or None where another one counts already.

        A repeated delivery gets the same answer again, and its message is sent again where the build has not begun.
        """
        first_id = dedupe_id(request)
        for _ in range(_TRIES):
            claim = self._store.claim(first_id)
            if claim is None:
                kept = self.create(self._new(trigger, request, first_id))
                if kept.is_new or kept.build.delivery_id == delivery_id:
                    return kept.build.id
                continue  # Another delivery was faster.
            try:
                found = self._rebuild(trigger, request, claim, delivery_id)
            except ConditionFailed:
                continue
            if found is not None:
                self.send(found, pending_actions(found))
            return None if found is None else found.id
        raise StorageUnavailable("Others ask for the same build at this moment; try again.", retry_after=5)

    def _rebuild(self, trigger: Trigger, request: BuildRequest, claim: Claim, delivery_id: str) -> Build | None:
        """The build of a commit that was built before; raises ConditionFailed where the claim has changed."""
        if delivery_id in claim.rejected:
            return None
        build_id = rebuild_id(request, delivery_id)
        made = claim.made_by(delivery_id) or self._store.get(build_id)
        if made is not None:
            return made
        if blocks(claim.current, request, self._histories.of(request)):
            self._store.record_rejected(claim, delivery_id)
            return None
        new = self._new(trigger, request, build_id)
        return self._store.supersede(claim, schedule_retry(new, new, now=int(self._now())))

    def _new(self, trigger: Trigger, request: BuildRequest, build_id: str) -> Build:
        return new_build(trigger, request, build_id=build_id, now=self._now())

    def create(self, build: Build) -> CreateResult:
        """Keep a new build and send its messages; a build that is kept already is only sent for."""
        kept = self._store.create(schedule_retry(build, build, now=int(self._now())))
        self.send(kept.build, pending_actions(kept.build))
        return kept

    def change(self, build_id: str, decide: Callable[[Build], Build], *, read: Build | None = None) -> Build | None:
        """Change a build by a rule that is given its newest state; gives what it is then, None where it is gone.

        `read`: its state a moment ago; the write finds out whether it still is. Raises Conflict where others change the
        same build again and again.
        """
        for number in range(_TRIES):
            before = read if read and number == 0 else self._store.get(build_id)
            if before is None:
                return None
            after = decide(before)
            if after == before:
                return before
            try:
                saved = self._store.save(before, schedule_retry(before, after, now=int(self._now())))
            except ConditionFailed:
                continue
            self.send(saved, new_actions(before, saved))
            return saved
        raise Conflict("The build is being changed by others; try again.", retry_after=1)

    def send(self, build: Build, wanted: tuple[str, ...]) -> None:
        """Send a message for each action; a repeated one has no effect."""
        for action in wanted:
            message = {"schema": SCHEMA, action: build.id}
            self._queue.send(message, group=build.id, once=f"{build.id}-{action}-{build.version}")


# From an event to the builds that an integration's triggers want of it.

MAX_REASONS = 100
NO_TRIGGER, ALREADY_BUILT = "no_trigger", "already_built"


class BuildTriggering:
    """Fulfils the webhooks' port. A repeated delivery gives the same builds, and makes none."""

    def __init__(self, matcher: TriggerMatcher, service: BuildService) -> None:
        self._matcher, self._service = matcher, service

    def on_event(
        self, integration_id: str, event: HookEvent, *, delivery_id: str
    ) -> tuple[Sequence[str], Sequence[str]]:
        """Have built what triggers want of an event; gives the ids of its builds, and why there are not more.

        A reason is `<trigger id>: <code>`, or `no_trigger` where no trigger waits for such an event there.
        """
        build_ids: list[str] = []
        reasons: list[str] = []
        decisions = self._matcher.evaluate(integration_id, event, delivery_id=delivery_id)
        if decisions:
            self._service.record_ref_change(integration_id, event, delivery_id=delivery_id)
        for trigger, decision in decisions:
            reasons += [f"{trigger.id}: {code}" for code in decision.refusals]
            if decision.request is None:
                continue
            build_id = self._service.request(trigger, decision.request, delivery_id=delivery_id)
            if build_id is None:
                reasons.append(f"{trigger.id}: {ALREADY_BUILT}")
            else:
                build_ids.append(build_id)
        return build_ids, reasons[:MAX_REASONS] if decisions else [NO_TRIGGER]
