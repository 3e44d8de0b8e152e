"""What the fields of plans mean: `Schema.field` → text and example."""

from typing import Any

from gitlab_hub.web.glossary import NOTHING

_TIME = 1790000000
_TOKEN = "0a1b2c3d4e5f6071"  # noqa: S105 - an id  # pragma: allowlist secret
_HASH = "9f86d081884c7d659a2feaa0c55ad015"  # pragma: allowlist secret
_SENTENCE = "Ana Lima: Developer → Maintainer on platform/api until 2027-01-31"
_CSV = "username,resource_type,resource_path,access_level\nana,project,platform/api,30\n"
_OPERATION, _PLAN = "PlanOperationView", ("PlanSummary", "PlanView")

PLANS: dict[str, tuple[str, Any]] = {
    "path.plan_id": ("Id of the plan.", "plan_6ab13b800a1b2c3d4e5f"),
    **{f"{name}.id": ("Id of the plan.", "plan_6ab13b800a1b2c3d4e5f") for name in _PLAN},
    **{f"{name}.hash": ("Names what the plan shows; to be sent when it is applied.", _HASH) for name in _PLAN},
    **{
        f"{name}.status": (
            "ready, blocked (operations are refused), applying, applied, partly_applied, or expired.",
            "ready",
        )
        for name in _PLAN
    },
    **{f"{name}.expires_at": ("Until when it can be applied, in unix seconds.", _TIME) for name in _PLAN},
    **{f"{name}.operation_count": ("How many operations it has.", 3) for name in _PLAN},
    **{f"{name}.note": ("Why, as whoever made it says; null: nothing was said.", "OPS-1234") for name in _PLAN},
    **{
        f"{name}.undoes": ("Id of the plan that it takes back; null: none.", "plan_6ab13b800a1b2c3d4e5f")
        for name in _PLAN
    },
    **{f"{name}.applied_at": ("When it was applied, in unix seconds; null: it was not.", _TIME) for name in _PLAN},
    **{f"{name}.applied_by": ("Id of the hub token that applied it; null: it was not.", _TOKEN) for name in _PLAN},
    **{
        f"{name}.override_reason": ("Why it was let go beyond the limits; null: it was not.", "Reorganisation")
        for name in _PLAN
    },
    **{
        f"{name}.finished_at": ("When its last operation was over, in unix seconds; null: not yet.", _TIME)
        for name in _PLAN
    },
    "PlanView.summary": ("How it stands, in a line.", "3 operations: 2 applied, 1 failed"),
    "PlanView.operations": ("What it changes, in the order it was asked for.", NOTHING),
    "PlanEnvelope.plan": ("The plan.", NOTHING),
    "DesiredAccess.plan": ("The plan that ends the drift; null: a dry run, or there is none.", NOTHING),
    "DesiredAccess.drift": ("What differs, in the order of the rows.", NOTHING),
    "DesiredAccessBody.grants": ("Who is to have what.", NOTHING),
    "DesiredAccessBody.csv": ("The same as the text of a CSV file with a header.", _CSV),
    "query.dry_run": ("Whether only to show the drift: no plan is made, and nothing is kept.", NOTHING),
    "WantedGrant.account_id": ("GitLab's id of the account, or null with a username.", 42),
    "WantedGrant.username": ("Username of the account, or null with an id.", "ana"),
    "WantedGrant.resource_type": ("group or project.", "project"),
    "WantedGrant.resource_id": ("GitLab's id of it, or null with a path.", 77),
    "WantedGrant.resource_path": ("Its full path, or null with an id.", "platform/api"),
    "WantedGrant.access_level": ("The level to have; 0: no direct membership.", 30),
    "WantedGrant.expires_at": ("First day without the access, an ISO 8601 date; null: it does not end.", "2027-01-31"),
    "DriftView.kind": ("missing, different (level or end) or unwanted.", "missing"),
    "DriftView.resource_type": ("group or project.", "project"),
    "DriftView.resource_id": ("GitLab's id of it.", 77),
    "DriftView.wanted_level": ("The level that is wanted; 0: none.", 30),
    "DriftView.wanted_expires_at": ("When it is to end, in unix seconds; null: not.", _TIME),
    "DriftView.access_level": ("The level that the last sync has read; null: none.", 20),
    "DriftView.expires_at": ("When that ends, in unix seconds; null: not.", _TIME),
    "PlanList.plans": ("Plans, newest first, without their operations.", NOTHING),
    f"{_OPERATION}.index": ("Its number in the plan, from 0.", 0),
    f"{_OPERATION}.account_id": (
        "GitLab's id of the account; null: it is about a group or an address, or there is no account yet.",
        42,
    ),
    f"{_OPERATION}.group_id": ("GitLab's id of the invited group; null: it is about none.", 12),
    f"{_OPERATION}.email": ("The invited address; null: it is about none.", "ana@example.com"),
    f"{_OPERATION}.username": ("The username of an account that is made; null: none is.", "ana"),
    "PlanCredential.id": ("GitLab's id of it, among those of its kind.", 1876),
    f"{_OPERATION}.op": ("What it does, such as grant or share.", "grant"),
    f"{_OPERATION}.resource": ("Where; null: it is about an account itself.", NOTHING),
    f"{_OPERATION}.sentence": ("What it comes to, for a person.", _SENTENCE),
    f"{_OPERATION}.before": ("What it has there itself, or is itself; null: nothing.", NOTHING),
    f"{_OPERATION}.after": ("What it has afterwards; null: nothing.", NOTHING),
    f"{_OPERATION}.calls": ("The requests to GitLab, exactly; none: there is nothing to do.", NOTHING),
    f"{_OPERATION}.refusals": ("Why it is refused; none: it is not.", ["last_owner"]),
    f"{_OPERATION}.explanations": ("What to do about each refusal.", NOTHING),
    f"{_OPERATION}.status": (
        "pending, applied, failed, skipped (nothing was sent) or accepted (GitLab has taken it, and not done it yet).",
        "applied",
    ),
    f"{_OPERATION}.error": ("Code of what went wrong; null: nothing has.", "plan_drifted"),
    f"{_OPERATION}.hint": ("What to do about it; null: nothing.", "Make a new plan."),
    f"{_OPERATION}.gitlab_request_id": ("GitLab's own name for the request; null: none is known.", "01J8ZQ…"),
    f"{_OPERATION}.instead": ("What GitLab did in its place, where it did; null: nothing.", NOTHING),
    "InsteadView.account_id": ("GitLab's id of the account whose membership it is.", 42),
    "InsteadView.before": ("What it had there itself; null: nothing.", NOTHING),
    "InsteadView.after": ("What it has there now.", NOTHING),
    f"{_OPERATION}.settled_at": ("When it was over, in unix seconds; null: not yet.", _TIME),
    f"{_OPERATION}.until": ("When the hub ends what it gives, in unix seconds; null: it does not.", _TIME),
    f"{_OPERATION}.credential": ("The token or key that it is about; null: it is about none.", NOTHING),
    "PlanCredential.kind": ("What it is, as in the inventory of tokens and keys.", "personal_token"),
    "RevokeCredentialBody.op": ("What to do.", "revoke_credential"),
    "PlanResource.id": ("GitLab's id.", 77),
    "PlanResource.full_path": ("Full path when the plan was made; empty: it was not found.", "platform/api"),
    "AccountStateView.state": ("GitLab's word for whether the account can be used.", "blocked"),
    "CredentialStateView.status": ("Whether the token or key still opens anything.", "revoked"),
    "MembershipView.access_level": ("GitLab's level.", 40),
    "MembershipView.expires_at": ("First moment without the access, in unix seconds; null: none.", _TIME),
    "MembershipView.member_role_id": ("Id of the custom role on top of the level; null: none.", 7),
    "CallView.method": ("POST, PUT or DELETE.", "PUT"),
    "CallView.path": ("Path below /api/v4, with its query.", "/projects/77/members/42"),
    "CallView.body": ("What is sent; null: nothing.", NOTHING),
    "RefusalView.code": ("The refusal.", "last_owner"),
    "RefusalView.hint": ("What to do about it.", "Make another one Owner first."),
    **{f"{name}Body.op": ("What to do.", name.lower()) for name in ("Grant", "Revoke", "Share", "Unshare", "Invite")},
    **{
        f"{''.join(word.title() for word in name.split('_'))}Body.op": ("What to do.", name)
        for name in (
            *("update_invitation", "cancel_invitation", "block", "unblock", "deactivate", "activate"),
            *("create_account", "delete_account", "offboard", "revoke_credential"),
        )
    },
    "ResourceBody.id": ("GitLab's id; it counts where a full path is given too.", 77),
    "ResourceBody.full_path": ("Full path, in the place of an id.", "platform/api"),
    "ApplyBody.hash": ("The plan's hash: what was looked at is what is done.", _HASH),
    "ApplyBody.override": ("To go beyond the limits of what may change at once.", NOTHING),
}
