"""What the fields of accounts, grants and groups mean: name → text and example, each said once."""

from typing import Any

from gitlab_hub.web.glossary import NOTHING

_TIME = 1790000000
_LEVELS = (
    "GitLab's level: 5 Minimal, 10 Guest, 15 Planner, 20 Reporter, 25 Security Manager, 30 Developer, "
    "40 Maintainer, 50 Owner; null where GitLab does not say."
)

ACCESS: dict[str, tuple[str, Any]] = {
    "access_level": (_LEVELS, 30),
    "account": ("The account it is about.", NOTHING),
    "account_id": ("GitLab's id of the user.", 42),
    "activity_source": ("Where GitLab has the last activity from.", "users"),
    "at_least": (
        "Whether it may be more: a group that counts, or its members, cannot be read with this token.",
        NOTHING,
    ),
    "available": ("Whether the token can: yes, no, or unknown until it is tried.", NOTHING),
    "current": (
        "Whether the list was read to its end when it was last asked for; false: what it told before is kept.",
        NOTHING,
    ),
    "cap": ("The most that passes this step, as a level; null: all.", 30),
    "can_push": ("Whether a deploy key may push to the project; null: it is no deploy key.", NOTHING),
    "capabilities": ("What the token can see and do, and what would change it.", NOTHING),
    "completeness": ("How whole the answer is.", NOTHING),
    "counted_at": ("When the counts were made, in unix seconds: at the end of a sync.", _TIME),
    "current_sign_in_at": ("When the present session began, in unix seconds.", _TIME),
    "does": ("What it is for.", "Sync pipelines and jobs"),
    "edges": ("Its steps, from the membership to the group or project.", NOTHING),
    "email": ("The address.", "new.colleague@example.com"),
    "extern_uid": ("The account's name at the provider.", "jane@acme.example"),
    "external": ("Whether GitLab counts the account as external.", NOTHING),
    "figures": ("The counts.", NOTHING),
    "fingerprint": (
        "What names a key (SHA-256, else MD5); null: it is no key, or GitLab does not tell.",
        "SHA256:Jrs3…",
    ),
    "gitlab_credentials": ("The tokens and keys.", NOTHING),
    "granular": ("Whether it is a fine-grained token, whose scopes say nothing of what it may do.", NOTHING),
    "granted_by": ("GitLab's id of the user who gave it.", 7),
    "is_admin": ("Whether it administers the GitLab; null: the token may not see it.", NOTHING),
    "is_hub": ("Whether it is the token that the hub itself reads this GitLab with.", NOTHING),
    "is_auditor": ("Whether it may read all of the GitLab; null: the token may not see it.", NOTHING),
    "last_activity_on": ("The day of the last activity, an ISO 8601 date.", "2026-11-28"),
    "last_sign_in_at": ("When it last signed in, in unix seconds; null: never, or the token may not see it.", _TIME),
    "list": ("The list, as GitLab's API calls it; docs/tokens.md says who is shown it.", "billable_members"),
    "last_used_at": ("When it was last used, in unix seconds; null: never, or GitLab does not tell.", _TIME),
    "level": ("GitLab's level, as `access_level`.", 30),
    "marked_for_deletion_on": (
        "The day somebody asked for its deletion, an ISO 8601 date; null: nobody, or GitLab does not tell.",
        "2026-11-28",
    ),
    "member_role": ("The custom role on top of the level; its name is null where GitLab tells the id only.", NOTHING),
    "member_role_id": ("GitLab's id of the custom role.", 3),
    "membership_lock": (
        "Whether nobody may be added to the group's projects; null: GitLab does not tell (Core, projects).",
        NOTHING,
    ),
    "membership_state": ("GitLab's state of the membership.", "active"),
    "next_change_at": (
        "The day on which the level changes by itself (its first second), in unix seconds; null: it does not.",
        _TIME,
    ),
    "overdue": ("Its date is past, though GitLab still lists it: the access is still there.", NOTHING),
    "owner_id": (
        "GitLab's id of the user whose personal namespace it lies in; null: it is in a group, or GitLab does not tell.",
        42,
    ),
    "path": ("The steps of the way, from the membership to the group or project.", NOTHING),
    "never_read": (
        "Of how many groups or projects the invitations were never read; null: no sync came, or all refused.",
        812,
    ),
    "reading": ("How far the reading of invitations is.", NOTHING),
    "read_at": (
        "What is listed is as GitLab had it then or later, in unix seconds; null: some was never read, or is refused.",
        _TIME,
    ),
    "revoke_at": (
        "The memberships to remove to end the access: all of them, and no fewer; none where it cannot be ended.",
        NOTHING,
    ),
    "risks": ("What is risky about it, as docs/credentials.md defines each.", ["no_expiry", "scope_api"]),
    "sentence": ("The answer in words.", "Jane Doe (@jane) has Developer in acme/shop: as a direct member."),
    "share_with_group_lock": (
        "Whether projects of the group may not be shared with groups; null: GitLab does not tell (projects).",
        NOTHING,
    ),
    "sources": (
        "The fields that only a list of `told_by` tells, each with its name; the others: the users or the members.",
        {"last_activity_on": "billable_members"},
    ),
    "told_by": ("The lists that tell of the account, beside the users and the members.", NOTHING),
    "to_change": (
        "What makes it available; null where it is.",
        "Store a token with the scope api: PUT …/gitlab-token.",
    ),
    "two_factor_enabled": ("Whether it has a second factor; null: the token may not see it.", NOTHING),
    "unseen": ("The kinds that the integration's token is not shown, or not all of.", NOTHING),
    "unread": ("How many scopes the last sync could not read, by status.", {"forbidden": 2}),
}
