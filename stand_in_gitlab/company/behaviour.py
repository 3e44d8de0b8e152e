"""How this GitLab differs from the newest one with every feature: switches of the control API."""

import re
from dataclasses import asdict, dataclass, fields

NEW_VERSION, OLD_VERSION = "19.0.2-ee", "18.6.1-ee"
GRAPHQL = frozenset({"on", "old", "missing"})
GROUP_HOOKS = frozenset({"on", "missing", "unlicensed"})


@dataclass(slots=True)
class Behaviour:
    """The switches, with the values a new stand-in starts with."""

    ignore_signing_token: bool = False
    """Like GitLab before 19.0: the parameter is taken and forgotten, nothing is signed."""
    group_hooks: str = "on"
    """`missing`: there is no such route (Community Edition); `unlicensed`: 403."""
    project_hook_limit: int = 100
    group_hook_limit: int = 50
    blocked_urls: str = ""
    """A regular expression; hooks may not be registered at addresses that match."""
    push_hook_limit: int = 3
    """A push that moves more refs in one way sends no hook at all."""
    status_conflicts: int = 0
    """So many next commit statuses are refused with 409."""
    read_only: bool = False
    """In maintenance mode: nothing can be written, but tokens are still given out at `/oauth/token`."""
    impersonation_off: bool = False
    """`gitlab.impersonation_enabled: false` in its configuration: impersonation tokens are refused."""
    dpop: bool = False
    """Everybody has switched DPoP on: a person's tokens work with a proof only, those of bots and of OAuth without."""
    oauth_self_status: int = 400
    """What an OAuth token gets from `GET /personal_access_tokens/self`: 400 today, 404 in the old days."""
    seat_approval: bool = False
    """`enable_member_promotion_management`: whoever takes no seat yet is queued when he is to get one."""
    lock_memberships_to_ldap: bool = False
    lock_memberships_to_saml: bool = False
    """Only synchronization, and administrators, change members of groups; projects of groups take none at all."""
    member_deletions_per_minute: int = 60
    """`members_delete_limit`, by group or project and caller."""
    deletion_delay: float = 1.0
    """Seconds between the answer to a deletion of an account, or of somebody's seat, and the deletion."""
    bots_go_with_tokens: bool = False
    """Like older releases: the bot of a group's or project's token that is revoked is deleted soon after."""
    account_lists: bool = False
    """An Enterprise Edition, with `billable_members` and the other lists of accounts; a Community Edition has none."""
    gitlab_com: bool = False
    """Groups have custom roles of their own, and the instance none that anybody may list."""
    community: bool = False
    """A Community Edition: rows of members have neither state nor custom role, groups no lock of memberships."""
    graphql: str = "on"
    """`old`: groups cannot be asked for by ids, nor tell where they were invited, nor pipelines be asked for by time;
    `missing`: there is none."""
    graphql_complexity: int = 0
    """The most that a query may cost; 0: as much as GitLab allows, 250, and 300 to administrators."""
    graphql_hides_minimal: bool = False
    """Of groups at the top, GraphQL leaves out members with Minimal Access, whom REST shows."""
    webhook_clock_skew: float = 0.0
    """Seconds that `webhook-timestamp` is ahead of real time."""

    @property
    def version(self) -> str:
        """The release that behaves so."""
        return OLD_VERSION if self.ignore_signing_token else NEW_VERSION

    def turn(self, wanted: dict[str, object]) -> None:
        """Set switches; ValueError if there is none of that name or it cannot have that value."""
        for name, value in wanted.items():
            if name not in {field.name for field in fields(self)} or type(value) is not type(getattr(self, name)):
                message = f"no switch {name!r} takes {value!r}; the switches are {asdict(self)}"
                raise ValueError(message)
        if wanted.get("group_hooks", "on") not in GROUP_HOOKS:
            message = f"group_hooks must be one of {', '.join(sorted(GROUP_HOOKS))}"
            raise ValueError(message)
        if wanted.get("graphql", "on") not in GRAPHQL:
            message = f"graphql must be one of {', '.join(sorted(GRAPHQL))}"
            raise ValueError(message)
        for name, value in wanted.items():
            setattr(self, name, value)

    def blocks(self, url: str) -> bool:
        """Whether a hook may not be registered at this address."""
        return bool(self.blocked_urls) and re.search(self.blocked_urls, url) is not None
