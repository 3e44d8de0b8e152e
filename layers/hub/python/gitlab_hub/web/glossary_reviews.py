"""What the fields of access reviews mean: `Schema.field` → text and example."""

from typing import Any

from gitlab_hub.web.glossary import NOTHING

_TIME = 1790000000
_TOKEN = "0a1b2c3d4e5f6071"  # noqa: S105 - an id  # pragma: allowlist secret
_ITEM = "ReviewItemView"
_PLAN = "plan_6ab13b800a1b2c3d4e5f"

REVIEWS: dict[str, tuple[str, Any]] = {
    "path.review_id": ("Id of the access review.", "rev_0a1b2c3d4e5f6071"),
    "query.decision": ("Only what was decided so; none: only what nobody has decided yet.", "none"),
    "ReviewView.id": ("Id of the access review.", "rev_0a1b2c3d4e5f6071"),
    "ReviewView.title": ("What people call it.", "Q4 2026: shop"),
    "ReviewView.status": ("open, or closed: nothing is decided any more.", "open"),
    "ReviewView.scope": ("What is reviewed.", NOTHING),
    **{
        f"{name}.due_at": ("Until when it is to be done, in unix seconds; nothing happens then by itself.", _TIME)
        for name in ("ReviewView", "ReviewBody")
    },
    "ReviewView.reviewers": ("Who decides, besides admins.", NOTHING),
    "ReviewView.snapshot_at": ("When it was frozen who has what, in unix seconds.", _TIME),
    "ReviewView.completeness": ("How whole the sync before was.", NOTHING),
    "ReviewView.item_count": ("How many items it has.", 120),
    "ReviewView.decisions": ("How many items have which decision.", NOTHING),
    "ReviewView.closed_at": ("When it was closed, in unix seconds; null: it is open.", _TIME),
    "ReviewView.closed_by": ("Id of the hub token that closed it; null: it is open.", _TOKEN),
    "ReviewScopeView.min_access_level": ("Only this level and those above it; null: all.", 30),
    "ReviewScopeView.kinds": ("Only accounts of these kinds; none: all.", ["human"]),
    "ReviewerView.name": ("The username, or the id of the hub token.", "jane"),
    "ReviewerView.type": ("account (with a hub token that belongs to it) or hub_token.", "account"),
    "ReviewerView.account_id": ("GitLab's id of the account; null: it is a hub token.", 42),
    "DecisionCounts.keep": ("To be kept.", 80),
    "DecisionCounts.revoke": ("To be taken away.", 10),
    "DecisionCounts.change": ("To be lowered.", 5),
    "DecisionCounts.none": ("Not decided yet.", 25),
    "ReviewEnvelope.review": ("The access review.", NOTHING),
    "ReviewList.reviews": ("Access reviews.", NOTHING),
    "ClosedReview.review": ("The access review.", NOTHING),
    "ClosedReview.plan_id": ("Id of the plan of what is to be revoked or changed; null: none was made.", _PLAN),
    "ClosedReview.plan_status": ("How that plan stands: blocked if operations are refused; null: no plan.", "ready"),
    "ClosedReview.plan_refusal": ("Why no plan could be made; null: one was, or nothing is to be changed.", NOTHING),
    "ClosedReview.left_out": ("Decisions that the plan does not carry out, the first 200.", NOTHING),
    "PlanRefusal.code": ("Code of the error.", "feature_disabled"),
    "PlanRefusal.hint": ("What to do; then close the review again.", "Switch its feature provisioning on."),
    "LeftOutItem.item_id": ("Id of the item.", "00001"),
    "LeftOutItem.reason": (
        "kept_elsewhere: another item keeps what the same membership gives; no_membership: none gives just that.",
        "kept_elsewhere",
    ),
    "ReviewView.plan_id": ("Id of the plan that carries its decisions out; null: none was made.", _PLAN),
    "ReviewItemList.items": ("What is reviewed.", NOTHING),
    "DecidedItems.review": ("The access review, as it is then.", NOTHING),
    "DecidedItems.items": ("What was decided about, as it is then.", NOTHING),
    "DecisionBody.item_id": ("Id of the item.", "00001"),
    "DecisionBody.comment": ("Why, for the auditor.", "left the team"),
    f"{_ITEM}.id": ("Id of the item.", "00001"),
    f"{_ITEM}.name": ("The person's or bot's name.", "Jane Doe"),
    f"{_ITEM}.account_kind": (
        "human, service_account, project_bot, group_bot, internal or unknown, when it was frozen.",
        "human",
    ),
    f"{_ITEM}.account_status": ("active, disabled, pending or unknown, when it was frozen.", "active"),
    f"{_ITEM}.resource": ("What the access is to.", NOTHING),
    f"{_ITEM}.custom_role": ("Name of the custom role on top of the level; null: none.", "Auditor"),
    f"{_ITEM}.kind": (
        "direct, owner (of a personal namespace), inherited, shared or implied (administrator).",
        "direct",
    ),
    f"{_ITEM}.source": ("Full path of the group or project with the membership that gives it; null: none.", "acme"),
    f"{_ITEM}.cap": ("The most that the invitations on the way let through; null: there are none.", 30),
    f"{_ITEM}.since": ("Since when the membership exists, in unix seconds; null: GitLab does not say.", _TIME),
    f"{_ITEM}.privileged": ("Whether it is Maintainer or more.", NOTHING),
    f"{_ITEM}.decision": ("keep, revoke or change; null: nobody has decided.", "keep"),
    f"{_ITEM}.new_access_level": ("Of change: the level that it is to have.", 20),
    f"{_ITEM}.comment": ("What the reviewer said.", "left the team"),
    f"{_ITEM}.decided_by": ("Id of the hub token that decided; null: nobody has.", _TOKEN),
    f"{_ITEM}.decided_at": ("When it was decided, in unix seconds; null: it was not.", _TIME),
}
