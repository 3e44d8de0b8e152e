"""What somebody has in a group or project, in a sentence that a person understands. Pure."""

from datetime import UTC, datetime

from gitlab_hub.access.effective.graph import Place
from gitlab_hub.access.effective.paths import AccessPath, GrantKind
from gitlab_hub.access.effective.reader import EffectiveGrant
from gitlab_hub.access.model import Account, AccountStatus
from gitlab_hub.gitlab.roles import role_name

MORE_IS_POSSIBLE = (
    "It may be more: this token is not shown every invited group, every list of members, or who administers."
)


def sentence(account: Account, grant: EffectiveGrant, *, now: float) -> str:
    """Say what an account has, by which way, until when, and what limits the answer."""
    who = f"{account.name} (@{account.username})" if account.name else f"@{account.username}"
    where, access = grant.node.full_path, grant.access
    if not access.paths:
        parts = [f"{who} has no access to {where}" + (" that the hub can see." if grant.at_least else ".")]
        if grant.node.visibility in {"public", "internal"}:
            parts.append(f"It is {grant.node.visibility}, so that it can be read without any.")
        return " ".join([*parts, *([MORE_IS_POSSIBLE] if grant.at_least else [])])
    best, more = access.paths[0], len(access.paths) - 1
    parts = [f"{who} has {_role(best)} in {where}: {_way(best, grant)}{_end(best, now)}."]
    if more:
        parts.append("There is one more way." if more == 1 else f"There are {more} more ways.")
    if account.status == AccountStatus.DISABLED:
        parts.append(f"The account is {account.state or 'disabled'} and cannot use it.")
    if grant.at_least:
        parts.append(MORE_IS_POSSIBLE)
    return " ".join(parts)


def _role(path: AccessPath) -> str:
    name = path.member_role["name"] if path.member_role else None
    return f"{role_name(path.level)} ({name})" if name else role_name(path.level)


def _way(path: AccessPath, grant: EffectiveGrant) -> str:
    if path.kind is GrantKind.IMPLIED:
        return "as an administrator of the GitLab instance"
    if path.kind is GrantKind.OWNER:
        return "the project lies in their personal namespace"
    member, *invitations = path.edges
    if path.kind is GrantKind.DIRECT:
        return "as a direct member"
    text = f"as a member of {_name(member.place, grant)} ({role_name(member.level)})"
    behind = member.place
    for one in invitations:
        invited = "which" if one.invited == behind else f"and {_name(one.invited or behind, grant)}, where that counts,"
        text += f", {invited} was invited into {_name(one.place, grant)} with at most {role_name(one.cap or one.level)}"
        behind = one.place
    return text


def _name(place: Place, grant: EffectiveGrant) -> str:
    node = grant.graph.nodes.get(place)
    return node.full_path if node is not None else f"{place.type} {place.id}"


def _end(path: AccessPath, now: float) -> str:
    if path.ends_at is None:
        return ""
    day = datetime.fromtimestamp(path.ends_at, UTC).date().isoformat()
    return f", until {day}" if path.ends_at > now else f", overdue since {day}: GitLab has not removed it yet"
