"""The least that each feature needs of a token: what verification names, what `docs/tokens.md` shows, what is tested.

Fine-grained permissions are spelled as GitLab spells them, "<resource>: <action>". Which call needs which is GitLab's
documentation, "Fine-grained permissions for REST API"; roles are its "Roles and permissions" page, scopes its "Personal
access tokens" page.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

READ_API, API = "read_api", "api"
IN_API = frozenset({READ_API, "read_user"})
"""What `api` includes: each route takes it, a few take one of these instead (lib/api/api.rb, lib/api/users.rb)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one feature needs. `better_with`: goes without these, and knows less."""

    feature: str
    does: str
    permissions: tuple[str, ...]
    better_with: tuple[str, ...] = ()
    scope: str = READ_API
    """The smallest scope of a classic token, and of an OAuth application."""
    by_oauth: bool = True
    """Whether an OAuth pair needs that scope: it is renewed and ended in the application's name, by no scope at all."""
    role: str = "none"
    """The lowest role of the token's user in the groups and projects concerned."""


NEEDS = (
    Need(
        feature="connect",
        does="Connect and verify",
        permissions=("User: Read", "Project: Read", "Pipeline: Read"),
        better_with=("Personal Access Token: Read", "Metadata: Read", "Group: Read"),
        role="Reporter",
    ),
    Need(
        feature="access",
        does="Sync accounts, groups, projects and grants",
        permissions=("User: Read", "Group: Read", "Project: Read", "Member: Read"),
        better_with=(
            "Invitation: Read",
            "Enterprise User: Read",
            "SAML User: Read",
            "SAML Group Identity: Read",
            "SCIM Identity: Read",
            "Service Account: Read",
            "Member Role: Read",
        ),
        role="Guest",
    ),
    Need(
        feature="pipelines",
        does="Sync pipelines and jobs",
        permissions=("Project: Read", "Pipeline: Read"),
        better_with=("Job: Read", "Deployment: Read", "Environment: Read"),
        role="Reporter",
    ),
    Need(
        feature="credentials",
        does="Read which tokens and keys reach the GitLab",
        permissions=("Group: Read", "Project: Read"),
        better_with=(
            "Personal Access Token: Read",
            "Resource Access Token: Read",
            "Service Account: Read",
            "Deploy Token: Read",
            "Deploy Key: Read",
            "SSH Key: Read",
        ),
        role="Maintainer (tokens of a group: Owner; those of other people: administrator)",
    ),
    Need(
        feature="builds",
        does="Match pushes and merge requests with triggers",
        permissions=("Project: Read", "Commit: Read", "Repository: Read", "Merge Request: Read"),
        better_with=("Group: Read", "Repository Tag: Read"),
        role="Reporter",
    ),
    Need(
        feature="manage_webhooks",
        does="Register, check and remove webhooks, and recover what they missed",
        permissions=("Webhook: Create", "Webhook: Read", "Webhook: Update", "Webhook: Delete", "Project: Read"),
        better_with=("Webhook: Trigger", "Branch: Read", "Repository Tag: Read", "Group: Read", "Member: Read"),
        scope=API,
        role="Maintainer (of a group: Owner; system hooks: administrator)",
    ),
    Need(
        feature="report_statuses",
        does="Show builds as commit statuses",
        permissions=("Commit Status: Create",),
        better_with=("Merge Request: Read", "Pipeline: Read", "Commit: Read"),
        scope=API,
        role="Developer",
    ),
    Need(
        feature="provisioning",
        does="Change access: plan it, apply it, take it back",
        permissions=(
            "Member: Create",
            "Member: Read",
            "Member: Update",
            "Member: Delete",
            "User: Read",
            "Group: Read",
            "Project: Read",
        ),
        better_with=(
            "Group: Share",
            "Project: Share",
            "Invitation: Create",
            "Invitation: Read",
            "Invitation: Update",
            "Invitation: Delete",
            "User: Create",
            "User: Block",
            "User: Unblock",
            "User: Deactivate",
            "User: Activate",
            "User: Delete",
            "Personal Access Token: Read",
            "Personal Access Token: Revoke",
            "Resource Access Token: Read",
            "Resource Access Token: Delete",
            "Service Account: Read",
            "Service Account Personal Access Token: Revoke",
            "Deploy Token: Read",
            "Deploy Token: Delete",
            "Deploy Key: Read",
            "Deploy Key: Delete",
            "SSH Key: Read",
            "SSH Key: Delete",
            "Impersonation Token: Read",
            "Impersonation Token: Revoke",
        ),
        scope=API,
        role="Maintainer (of a group: Owner; of accounts: administrator)",
    ),
    Need(
        feature="rotate",
        does="Rotate the token",
        permissions=("Personal Access Token: Rotate",),
        better_with=("Personal Access Token: Read",),
        scope="self_rotate",
        by_oauth=False,
    ),
    Need(
        feature="revoke",
        does="Revoke the token when the integration is removed",
        permissions=("Personal Access Token: Revoke",),
        by_oauth=False,
    ),
)
_BY_FEATURE = {need.feature: need for need in NEEDS}


def need_of(feature: str) -> Need:
    """What a feature needs. Raises KeyError for one that is not in the table."""
    return _BY_FEATURE[feature]


def permissions_of(features: Iterable[str]) -> list[str]:
    """The fine-grained permissions that these features need together, each once."""
    return list(dict.fromkeys(name for feature in features for name in need_of(feature).permissions))


def covered(scopes: Sequence[str]) -> frozenset[str]:
    """These scopes and what they include."""
    return frozenset(scopes) | (IN_API if API in scopes else frozenset())


def least_scopes(features: Iterable[str], wanted: Iterable[str] = ()) -> tuple[str, ...]:
    """The fewest scopes that these features need together with what else is wanted, to ask an OAuth application for.

    None that another one includes: GitLab refuses whatever the application was not given by name (doorkeeper,
    lib/doorkeeper/oauth/helpers/scope_checker.rb), and one that has `api` alone needs no more.
    """
    scopes = dict.fromkeys((*wanted, *(need_of(feature).scope for feature in features)))
    return tuple(scope for scope in scopes if not (API in scopes and scope in IN_API))
