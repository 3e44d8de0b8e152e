"""What the fields of access requests and of their policies mean: `Schema.field` → text and example."""

from typing import Any

from gitlab_hub.web.glossary import NOTHING

_TIME = 1790000000
_TOKEN = "0a1b2c3d4e5f6071"  # noqa: S105 - an id  # pragma: allowlist secret
_ID, _PLAN_ID = "req_6ab13b800a1b2c3d4e5f", "plan_6ab13b800a1b2c3d4e5f"
_REQUEST, _POLICIES, _CALLERS = "AccessRequestView", ("PolicyView", "PolicyBody"), ("RequestersView", "RequestersBody")
_APPROVERS = ("ApproversView", "ApproversBody")

REQUESTS: dict[str, tuple[str, Any]] = {
    "path.request_id": ("Id of the access request.", _ID),
    f"{_REQUEST}.id": ("Id of the request.", _ID),
    f"{_REQUEST}.status": (
        "pending, approved (about to be given), active, ended, denied, expired (nobody decided), or failed.",
        "active",
    ),
    f"{_REQUEST}.account_id": ("GitLab's id of the account that gets the access.", 42),
    f"{_REQUEST}.account": ("What people call it.", "Ana Lima"),
    f"{_REQUEST}.resource": ("Where.", NOTHING),
    f"{_REQUEST}.access_level": ("GitLab's level.", 40),
    f"{_REQUEST}.reason": ("Why, as whoever asked says.", "OPS-1234"),
    f"{_REQUEST}.minutes": ("How long, from the approval on; null: until a time.", 60),
    f"{_REQUEST}.until": ("Until when, in unix seconds; null: for so many minutes.", _TIME),
    f"{_REQUEST}.break_glass": ("Whether it was taken without an approval.", NOTHING),
    f"{_REQUEST}.policy_id": ("Id of the policy that it goes by; null: an owner applied a plan.", "default"),
    f"{_REQUEST}.expires_at": ("Until when somebody may decide, in unix seconds.", _TIME),
    f"{_REQUEST}.requested_by": ("Id of the hub token that asked.", _TOKEN),
    f"{_REQUEST}.approvals": ("Who said yes so far.", NOTHING),
    f"{_REQUEST}.decided_by": ("Id of the hub token whose decision counted; null: none.", _TOKEN),
    f"{_REQUEST}.decided_at": ("When that was, in unix seconds; null: not yet.", _TIME),
    f"{_REQUEST}.comment": ("What whoever decided says; null: nothing.", "fine"),
    f"{_REQUEST}.granted_at": ("When GitLab showed the access, in unix seconds; null: not yet.", _TIME),
    f"{_REQUEST}.ends_at": ("When the hub takes it back, in unix seconds; null: it was not approved.", _TIME),
    f"{_REQUEST}.ended_at": ("When it was over, in unix seconds; null: not yet.", _TIME),
    f"{_REQUEST}.ended_by": ("Id of the hub token that ended it early; null: none.", _TOKEN),
    f"{_REQUEST}.error": ("Code of what went wrong; null: nothing has.", "changed_by_hand"),
    f"{_REQUEST}.review_due_at": ("Until when its use is to be reviewed, in unix seconds; null: never.", _TIME),
    f"{_REQUEST}.reviewed_at": ("When somebody reviewed it, in unix seconds; null: not yet.", _TIME),
    f"{_REQUEST}.reviewed_by": ("Id of the hub token that reviewed it; null: none.", _TOKEN),
    f"{_REQUEST}.plan_id": ("Id of the plan that gives the access; null: none yet.", _PLAN_ID),
    f"{_REQUEST}.end_plan_id": ("Id of the last plan to take it back; null: none yet.", _PLAN_ID),
    "AccessRequestEnvelope.access_request": ("The request.", NOTHING),
    "AccessRequestList.access_requests": ("Requests, newest first.", NOTHING),
    "ApprovalView.token_id": ("Id of the hub token that said yes.", _TOKEN),
    "ApprovalView.at": ("When, in unix seconds.", _TIME),
    **{f"{name}.access_request_id": ("Id of the access request that it gives or takes back; null: none.", _ID)
       for name in ("PlanSummary", "PlanView")},
    "PlanOperationView.access_request_id": ("Id of the access request that ends what it gives; null: none.", _ID),
    **{f"{name}.id": ("Id of the policy, chosen by whoever wrote it.", "default") for name in _POLICIES},
    **{f"{name}.name": ("What people call it.", "Developers ask, an owner approves") for name in _POLICIES},
    **{f"{name}.enabled": ("Whether it counts.", NOTHING) for name in _POLICIES},
    **{f"{name}.resources": ("Full paths, or patterns in which * is anything.", ["platform/*"]) for name in _POLICIES},
    **{f"{name}.max_access_level": ("The highest level to ask for.", 40) for name in _POLICIES},
    **{f"{name}.max_minutes": ("The longest time to ask for; 120 at most for break-glass.", 480) for name in _POLICIES},
    **{f"{name}.requesters": ("Who may ask.", NOTHING) for name in _POLICIES},
    **{f"{name}.approvers": ("Who approves, or reviews break-glass.", NOTHING) for name in _POLICIES},
    **{f"{name}.break_glass": ("Whether it gives access at once, without an approval.", NOTHING) for name in _POLICIES},
    **{f"{name}.review_within_minutes": ("How soon break-glass is to be reviewed; null: it is none.", 60)
       for name in _POLICIES},
    **{f"{name}.roles": ("Hub tokens of these roles.", ["developer"]) for name in (*_CALLERS, *_APPROVERS)},
    **{
        f"{name}.token_ids": (
            "Hub tokens of these ids, and people who sign in with GitLab as gitlab:<their ID>@<its host>.", [_TOKEN]
        )
        for name in (*_CALLERS, *_APPROVERS)
    },
    **{f"{name}.count": ("How many people it takes.", 1) for name in _APPROVERS},
    "PolicyList.policies": ("Policies, in the order in which they are tried.", NOTHING),
    "PoliciesBody.policies": ("Policies, in the order in which they are tried.", NOTHING),
}  # fmt: skip
