"""Why an operation is not carried out: a code that stays, and a sentence that says what to do."""

from enum import StrEnum


class Code(StrEnum):
    """The reasons. The texts are stored and part of the API."""

    LAST_OWNER = "last_owner"
    SELF_TARGET = "self_target"
    BOT_MEMBER = "bot_member"
    LDAP_MANAGED = "ldap_managed"
    SAML_MANAGED = "saml_managed"
    MEMBERSHIP_LOCK = "membership_lock"
    INHERITED_ACCESS = "inherited_access"
    IMPLIED_ACCESS = "implied_access"
    GRANT_CHANGED = "grant_changed"
    BELOW_INHERITED_LEVEL = "below_inherited_level"
    EXPIRES_IN_PAST = "expires_in_past"
    REQUEST_EXISTS = "request_exists"
    TOKEN_SCOPE = "token_scope"  # noqa: S105 - the name of a reason
    NOT_OWNER = "not_owner"
    USER_NOT_FOUND = "user_not_found"
    PENDING_INVITATION = "pending_invitation"
    QUEUED_FOR_APPROVAL = "queued_for_approval"
    BLAST_RADIUS = "blast_radius"
    STALE_DATA = "stale_data"
    NOT_SUPPORTED_HERE = "not_supported_here"


ADVICE = {
    Code.LAST_OWNER: "This is the last active person who is a direct Owner of the top-level group. Make another one "
    "Owner first.",
    Code.SELF_TARGET: "This is the user whose token the hub works with; the hub never changes its own access.",
    Code.BOT_MEMBER: "This is a bot that GitLab made for a token or for itself. Revoke its token instead.",
    Code.LDAP_MANAGED: "LDAP manages this membership, and its next sync would undo the change. Change the LDAP group "
    "(in GitLab: the group's Settings, LDAP Synchronization).",
    Code.SAML_MANAGED: "SAML group links manage this membership, and the next sign-in would undo the change. Change "
    "the group at the identity provider (in GitLab: the group's Settings, SAML Group Links).",
    Code.MEMBERSHIP_LOCK: "The group allows no members, or no other groups, to be added here. Add them to the "
    "group itself, or lift the lock (the group's Settings, Permissions and group features).",
    Code.INHERITED_ACCESS: "There is nothing here to give or take: the access comes from a group above. "
    "GET …/explain names where to revoke it.",
    Code.IMPLIED_ACCESS: "The access follows from what the account is, an administrator or the holder of the "
    "namespace; no membership can be taken away.",
    Code.GRANT_CHANGED: "What is there is not what this expects. Read it again and make a new plan. A group that is "
    "invited with another level or end has to be taken out first (unshare), as GitLab cannot change that; whoever has "
    "an account is granted a role (grant), not invited.",
    Code.BELOW_INHERITED_LEVEL: "The account has more from a group above, and GitLab takes no lower level here. Lower "
    "it there.",
    Code.EXPIRES_IN_PAST: "The access would be over at once. Name a later day, or a later minute.",
    Code.REQUEST_EXISTS: "There is access for a while to this already, or a request for it. Wait until that is over, "
    "or end it first (POST …/access-requests/{id}/revoke).",
    Code.TOKEN_SCOPE: "The stored token may not change anything: it lacks the scope api. Store another one "
    "(PUT …/gitlab-token).",
    Code.NOT_OWNER: "The token's user has too low a role here to make this change. Groups need an Owner, projects a "
    "Maintainer, and nobody gives or takes more than they have.",
    Code.USER_NOT_FOUND: "GitLab has no such account or group, or does not show it to the token.",
    Code.PENDING_INVITATION: "There is an invitation for this address already. Change or cancel that one.",
    Code.QUEUED_FOR_APPROVAL: "The membership waits for an administrator's approval; it can be changed after that.",
    Code.BLAST_RADIUS: "This goes beyond what may change at once: 25 operations, and a tenth of the members of a group "
    "or project, per plan and per 24 hours. An owner may apply it with a reason (override).",
    Code.STALE_DATA: "What the hub knows is not fit to decide by: the last accounts sync is suspect or older than 24 "
    "hours, or does not cover this group or project. Sync first.",
    Code.NOT_SUPPORTED_HERE: "This GitLab cannot do that for this token.",
}
"""What to tell people about each reason."""

ON_ACCOUNT = {
    Code.LAST_OWNER: "This is the last active person who is a direct Owner of a top-level group. Make another one "
    "Owner first.",
    Code.SELF_TARGET: "This is the user whose token the hub works with; the hub never closes its own account.",
    Code.BOT_MEMBER: "This is a bot or a service account. Revoke its token instead, or manage it where it was made: in "
    "GitLab under Settings, Access tokens or Service accounts, of its project, its group or the Admin area.",
    Code.LDAP_MANAGED: "LDAP, SAML or SCIM has blocked this account, and only that lets it in again. Change the person "
    "in the directory.",
    Code.GRANT_CHANGED: "The account is in a state that this does not lead from, it was used within the last 90 days "
    "(which keeps it from being deactivated: block it instead), or somebody has the username or the address. A banned "
    "account is unbanned in GitLab's Admin area.",
    Code.TOKEN_SCOPE: "Accounts are changed by administrators only: the token's user is none, or the token lacks the "
    "scope api (or, where Admin Mode is on, admin_mode). Store another one (PUT …/gitlab-token). An integration "
    "that is limited to a top-level group can remove whoever leaves from that (offboard, without delete).",
    Code.QUEUED_FOR_APPROVAL: "The account waits for an administrator's approval. Approve or reject it in GitLab's "
    "Admin area.",
    Code.NOT_SUPPORTED_HERE: "On gitlab.com nobody but GitLab changes accounts. Whoever leaves is removed from a "
    "top-level group (offboard, without delete), by an integration that is limited to that group.",
}
"""What to tell people where it is an account that would be changed, as far as that is something else."""

ON_CREDENTIAL = {
    Code.SELF_TARGET: "The hub works with this token, or its user does. Rotate or replace the hub's own token first "
    "(PUT …/gitlab-token), or revoke it in GitLab.",
    Code.NOT_OWNER: "The token's user may not revoke it: personal and impersonation tokens and SSH keys of others take "
    "an administrator, tokens of a group an Owner, those of a project and deploy keys a Maintainer.",
    Code.GRANT_CHANGED: "It was rotated, so its successor has another id, or the id is another account's. Read the "
    "inventory again (POST …/sync with kinds credentials) and make a new plan.",
    Code.NOT_SUPPORTED_HERE: "Only administrators may revoke tokens of service accounts that belong to no group which "
    "the hub knows.",
}
"""What to tell people where it is a token or key that would be revoked, as far as that is something else."""

OVERRIDABLE = frozenset({str(Code.BLAST_RADIUS)})
"""What an owner may set aside with a reason."""
