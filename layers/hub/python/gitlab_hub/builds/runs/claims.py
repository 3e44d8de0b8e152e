"""One build for each commit of a ref: what names it, what keeps another from being made, and what does not; pure.

The first build of a claim has an id that follows from what is built, so that whoever wants it finds it, or makes it,
without asking anybody. A later one, of a commit whose build was cut short or whose ref has ended since, has an id that
follows from its delivery too; which one counts now is in the claim's row.
"""

import hashlib
from dataclasses import dataclass

from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.triggers.model import FORK, TAG, BuildRequest
from gitlab_hub.ids import owned_id
from gitlab_hub.storage.ports import Item

SCHEMA = 1
MAX_REJECTED = 20
"""Deliveries that a claim remembers to have turned away; older ones are replayed by nobody."""
_UNIQUE = 24


@dataclass(frozen=True, slots=True)
class RefHistory:
    """When a branch or tag ended and began again last, counted in builds of its integration: their numbers only grow.

    Clocks are not asked: two workers' may differ, and a branch can be restored within their difference.
    """

    ended: int = 0
    revived: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which build of a commit counts, and which deliveries were refused another build of it."""

    first: Build
    current: Build
    rejected: tuple[str, ...] = ()
    version: int = 0
    """0 = it has no row yet."""

    def made_by(self, delivery_id: str | None) -> Build | None:
        """The build that a delivery has made, as far as the claim knows it."""
        return next((each for each in (self.current, self.first) if each.delivery_id == delivery_id), None)


def dedupe_id(request: BuildRequest) -> str:
    """The id of the first build that a trigger makes of a ref's commit: whoever wants it again finds it by that.

    A push and its merge request name the same branch. The branch counts, because a commit that is merged by moving
    the target branch forward is to be built there as well. A tag is no branch, nor is the end of one, and a fork's
    branch is not the project's own of that name.
    """
    return _id(request.integration_id, f"claim\n{_claim(request)}")


def rebuild_id(request: BuildRequest, delivery_id: str | None) -> str:
    """The id of a further build of the same commit: the same for the same delivery."""
    return _id(request.integration_id, f"claim\n{_claim(request)}\nof {delivery_id}")


def manual_id(integration_id: str, seed: str) -> str:
    """The id of a build that a person asked for; the same for the same seed."""
    return _id(integration_id, f"wish\n{seed}")


def blocks(build: Build, request: BuildRequest, history: RefHistory) -> bool:
    """Whether there is no second build, as this one is that of the same commit.

    A build that was cut short does not count, nor one from before the ref was deleted. But a push and its merge request
    are two events of one movement, in any order and at any distance: whatever became of its build, there is no other.
    And an update that brings no new code only undoes what the hub itself cut short, not what a person cancelled.
    """
    if request.deletes_ref:
        return build.status is not BuildStatus.CANCELED and build.number > history.revived
    if build.before is not None and build.before == request.before and _source(build) != _source(request):
        return True
    if not request.new_code:
        return not build.superseded
    return build.status is not BuildStatus.CANCELED and build.number > history.ended


def claim_item(claim: Claim, *, build_id: str, rejected: tuple[str, ...], expires_at: int) -> Item:
    """The row of a claim; it lies with its first build and ends with it, as then that build's id is free again."""
    return {
        "pk": f"BUILD#{claim.first.id}",
        "sk": "CLAIM",
        "schema_version": SCHEMA,
        "expires_at": expires_at,
        "first_number": claim.first.number,
        "build_id": build_id,
        "heard": list(rejected[-MAX_REJECTED:]),
        "version": claim.version + 1,
    }


def _source(one: Build | BuildRequest) -> tuple[str, int | None]:
    return one.event, one.merge_request_iid


def _claim(request: BuildRequest) -> str:
    origin = ""
    if request.deletes_ref:
        origin = "deleted"
    elif request.ref_kind == TAG:
        origin = "tag"
    elif request.ref_kind == FORK:
        origin = f"fork\n{request.source_project_id or f'of merge request {request.merge_request_iid}'}"
    return f"{request.trigger_id}\n{request.project_id}\n{request.sha}\n{request.ref}\n{origin}"


def _id(integration_id: str, text: str) -> str:
    return owned_id("bld", integration_id, hashlib.sha256(text.encode()).hexdigest()[:_UNIQUE])
