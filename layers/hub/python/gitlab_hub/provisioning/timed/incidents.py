"""What of requests for access needs a person."""

from collections.abc import Callable

from gitlab_hub.incidents import Incident, IncidentStore
from gitlab_hub.provisioning.timed.model import AccessRequest

LATE, BY_HAND, BREAK_GLASS = "access_not_ended", "access_changed_by_hand", "break_glass"

LATE_AFTER_SECONDS = 60


class RequestIncidents:
    """Opens and closes them; `subject` is always the request's id. All calls block."""

    def __init__(self, incidents: IncidentStore, now: Callable[[], float]) -> None:
        self._incidents, self._now = incidents, now

    def late(self, request: AccessRequest, reason: str) -> None:
        """Access lasts longer than it was given for; `reason` is a code."""
        hint = (
            f"{request.account} still has access to {request.full_path} that should be over. The hub tries again "
            "until it is; remove the reason, or take the membership away in GitLab."
        )
        self._open(LATE, request, hint, reason=reason, ends_at=request.ends_at)

    def by_hand(self, request: AccessRequest, level: int) -> None:
        """Somebody changed the membership while it was on loan; the hub left it."""
        hint = (
            f"Somebody changed what {request.account} has on {request.full_path} while the hub's access lasted, so the "
            "hub left it. Take it away in GitLab if it is not wanted, then POST …/revoke to close this."
        )
        self._open(BY_HAND, request, hint, access_level=level)

    def break_glass(self, request: AccessRequest) -> None:
        """Access was given without anybody's approval."""
        overdue = request.review_due_at is not None and self._now() >= request.review_due_at
        hint = (
            f"{request.account} took access to {request.full_path} without an approval. Somebody else has to look at "
            "it: POST …/approve if it was right, …/deny if not (that ends it)."
        )
        hint = f"This review is overdue. {hint}" if overdue else hint
        self._open(BREAK_GLASS, request, hint, review_due_at=request.review_due_at, overdue=overdue)

    def close(self, kind: str, request: AccessRequest) -> None:
        """It is over."""
        self._incidents.close(kind, request.integration_id, request.id)

    def _open(self, kind: str, request: AccessRequest, hint: str, **details: object) -> None:
        told = {"account_id": request.account_id, "full_path": request.full_path, "reason_given": request.reason}
        self._incidents.open(
            Incident(
                kind=kind,
                integration_id=request.integration_id,
                subject=request.id,
                at=int(self._now()),
                hint=hint,
                details={**told, **details},
            )
        )
