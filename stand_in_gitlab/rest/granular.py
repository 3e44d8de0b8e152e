"""What a fine-grained token has to hold for each call, and how GitLab says that it does not.

Names and boundaries are those of GitLab's documentation, "Fine-grained permissions for REST API"; the sentence, and who
is held to it, those of app/services/authz/tokens/authorize_granular_scopes_service.rb.
"""

from stand_in_gitlab.company.model import Grant, Group, Project, Token, User
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.visibility import Visibility
from stand_in_gitlab.rest.refusals import Refusal

USER, INSTANCE, GROUP, PROJECT = "user", "instance", "group", "project"
Names = tuple[str, ...]

STATES = ("block", "unblock", "deactivate", "activate", "ban", "unban", "approve", "reject")
OWN = {
    "GET personal_access_tokens/self": ("Personal Access Token: Read", USER),
    "GET personal_access_tokens/self/associations": ("Personal Access Token: Read", USER),
    "DELETE personal_access_tokens/self": ("Personal Access Token: Revoke", USER),
    "POST personal_access_tokens/self/rotate": ("Personal Access Token: Rotate", USER),
    "GET personal_access_tokens": ("Personal Access Token: Read", USER),
    "GET personal_access_tokens/*": ("Personal Access Token: Read", USER),
    "DELETE personal_access_tokens/*": ("Personal Access Token: Revoke", USER),
    "GET users/*/keys": ("SSH Key: Read", USER),
    "GET users/*/keys/*": ("SSH Key: Read", USER),
    "DELETE users/*/keys/*": ("SSH Key: Delete", USER),
    "GET users/*/impersonation_tokens": ("Impersonation Token: Read", INSTANCE),
    "GET users/*/impersonation_tokens/*": ("Impersonation Token: Read", INSTANCE),
    "DELETE users/*/impersonation_tokens/*": ("Impersonation Token: Revoke", INSTANCE),
    "GET deploy_tokens": ("Deploy Token: Read", INSTANCE),
    "GET deploy_keys": ("Deploy Key: Read", INSTANCE),
    "GET user": ("User: Read", USER),
    "GET users": ("User: Read", INSTANCE),
    "GET users/*": ("User: Read", USER),
    "GET users/*/memberships": ("User: Read", INSTANCE),
    "POST users": ("User: Create", INSTANCE),
    "PUT users/*": ("User: Update", INSTANCE),
    "DELETE users/*": ("User: Delete", INSTANCE),
    **{f"POST users/*/{verb}": (f"User: {verb.title()}", INSTANCE) for verb in STATES},
    "GET version": ("Metadata: Read", INSTANCE),
    "GET metadata": ("Metadata: Read", INSTANCE),
    "GET groups": ("Group: Read", USER),
    "GET projects": ("Project: Read", USER),
    "GET service_accounts": ("Service Account: Read", INSTANCE),
    "GET member_roles": ("Member Role: Read", INSTANCE),
}
"""Calls that are about no group and no project."""

BELOW = {
    "GET": "Group: Read",
    "GET subgroups": "Group: Read",
    "GET descendant_groups": "Group: Read",
    "GET projects": "Project: Read",
    "GET members": "Member: Read",
    "POST members": "Member: Create",
    "PUT members": "Member: Update",
    "DELETE members": "Member: Delete",
    "DELETE billable_members": "Member: Delete",
    "GET invitations": "Invitation: Read",
    "POST share": "Share",
    "DELETE share": "Share",
    "POST invitations": "Invitation: Create",
    "PUT invitations": "Invitation: Update",
    "DELETE invitations": "Invitation: Delete",
    "GET billable_members": "Member: Read",
    "GET pending_members": "Member: Read",
    "GET enterprise_users": "Enterprise User: Read",
    "GET saml_users": "SAML User: Read",
    "GET saml": "SAML Group Identity: Read",
    "GET scim": "SCIM Identity: Read",
    "GET service_accounts": "Service Account: Read",
    "GET member_roles": "Member Role: Read",
    "GET access_tokens": "Resource Access Token: Read",
    "DELETE access_tokens": "Resource Access Token: Delete",
    "DELETE service_accounts": "Service Account Personal Access Token: Revoke",
    "GET deploy_tokens": "Deploy Token: Read",
    "GET deploy_keys": "Deploy Key: Read",
    "DELETE deploy_tokens": "Deploy Token: Delete",
    "DELETE deploy_keys": "Deploy Key: Delete",
    "GET pipelines": "Pipeline: Read",
    "GET jobs": "Job: Read",
    "GET environments": "Environment: Read",
    "GET deployments": "Deployment: Read",
    "GET hooks": "Webhook: Read",
    "POST hooks": "Webhook: Create",
    "PUT hooks": "Webhook: Update",
    "DELETE hooks": "Webhook: Delete",
    "POST statuses": "Commit Status: Create",
    "GET repository branches": "Branch: Read",
    "GET repository tags": "Repository Tag: Read",
    "GET repository commits": "Commit: Read",
    "GET repository compare": "Repository: Read",
    "GET merge_requests": "Merge Request: Read",
}
"""By what comes after the id of a group or project."""

EXTRAS = frozenset({"custom_headers", "url_variables"})
TRIGGERING = frozenset({"resend", "test"})
OPENLY = frozenset({"", "subgroups", "descendant_groups", "projects", "members", "repository", "merge_requests"})
"""What of a public group or project needs no permission; lists of pipelines and single ones do not either."""


def needed(method: str, pattern: str) -> tuple[str, str]:
    """The permission and what it is to be held on, of a route by the router's own text. KeyError if it has none."""
    if found := OWN.get(f"{method} {pattern}"):
        return found
    first, *rest = pattern.split("/")
    if first == "hooks":
        return _of_hooks(method, rest), INSTANCE
    boundary = {"groups": GROUP, "projects": PROJECT}[first]
    parts = [part for part in rest[1:] if part != "*"]
    if not parts:
        return ("Group: Read" if boundary == GROUP else "Project: Read"), boundary
    if parts[0] == "hooks":
        return _of_hooks(method, rest[2:]), boundary
    depth = 2 if parts[0] == "repository" else 1
    if parts[-1] == "override":
        return "Member: Update", boundary
    permission = BELOW[" ".join([method, *parts[:depth]])]
    return (f"{boundary.title()}: Share" if permission == "Share" else permission), boundary


def _of_hooks(method: str, rest: list[str]) -> str:
    if method == "POST" and (rest == ["*"] or TRIGGERING & set(rest)):
        return "Webhook: Trigger"
    # A hook's headers and variables are changes of the hook.
    changes = method != "GET" and EXTRAS & set(rest)
    return BELOW[f"{'PUT' if changes else method} hooks"]


def check_grant(
    company: Company, token: Token, user: User, visibility: Visibility, route: tuple[str, str], names: Names
) -> bool:
    """Refuse what lies outside of a grant. True: the token is judged by its grant, and its scopes say nothing."""
    method, pattern = route
    permission, boundary = needed(method, pattern)
    place = _place(company, boundary, names)
    if token.grants is None:
        if not _enforced(company, token, user, place):
            return False
    elif boundary in {GROUP, PROJECT} and (
        place is None or not _sees(visibility, place) or (method == "GET" and _is_open(place, pattern))
    ):
        return True  # The call itself says that there is nothing, or serves what everybody may have.
    elif any(
        _covers(company, visibility, grant, boundary, place)
        for grant in token.grants
        if permission in grant.permissions
    ):
        return True
    raise _refused(permission, boundary)


def granted(
    company: Company, token: Token, user: User, visibility: Visibility, permission: str, place: Group | Project
) -> bool:
    """Whether a token may use a permission on a group or project, beside what its scopes and its user may."""
    if token.grants is None:
        return not _enforced(company, token, user, place)
    boundary = GROUP if isinstance(place, Group) else PROJECT
    holding = (grant for grant in token.grants if permission in grant.permissions)
    return any(_covers(company, visibility, grant, boundary, place) for grant in holding)


def _place(company: Company, boundary: str, names: Names) -> Group | Project | None:
    if boundary == GROUP:
        return company.group_at(names[0])
    return company.project_at(names[0]) if boundary == PROJECT else None


def _enforced(company: Company, token: Token, user: User, place: Group | Project | None) -> bool:
    """Classic tokens of people are held to a grant, which they do not have, where the top-level group says so."""
    if place is None or token.kind != "personal" or user.bot:
        return False
    line = company.ancestors(place.id if isinstance(place, Group) else place.group_id)
    return bool(line) and line[-1].fine_grained_only


def _sees(visibility: Visibility, place: Group | Project) -> bool:
    return visibility.sees_group(place.id) if isinstance(place, Group) else visibility.sees_project(place.id)


def _is_open(place: Group | Project, pattern: str) -> bool:
    below = pattern.split("/")[2:]
    readable = (below[0] if below else "") in OPENLY or (below[:1] == ["pipelines"] and len(below) <= 2)  # noqa: PLR2004
    return place.visibility == "public" and readable


def _covers(
    company: Company, visibility: Visibility, grant: Grant, boundary: str, place: Group | Project | None
) -> bool:
    if place is None:
        return grant.access == boundary
    of_project = isinstance(place, Project)
    if grant.access == "all_memberships":
        return bool((visibility.project_levels if of_project else visibility.group_levels).get(place.id))
    if grant.access == "personal_projects":
        return isinstance(place, Project) and place.group_id is None and place.creator_id == visibility.user.id
    line = {group.id for group in company.ancestors(place.group_id if isinstance(place, Project) else place.id)}
    return grant.access == "selected_memberships" and (
        grant.group_id in line or (of_project and grant.project_id == place.id)
    )


def _refused(permission: str, boundary: str) -> Refusal:
    sentence = (
        "Access denied: This operation requires a fine-grained personal access token with the following "
        f"{boundary} permissions: [{permission}]."
    )
    return Refusal(403, {"error": "insufficient_granular_scope", "error_description": sentence})
