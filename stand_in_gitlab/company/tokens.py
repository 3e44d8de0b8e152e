"""The tokens everyone may know: one of each kind that matters, good ones and bad ones."""

from stand_in_gitlab.clock import DAY, day
from stand_in_gitlab.company.grants import enrol
from stand_in_gitlab.company.model import Grant, Token, TokenKind
from stand_in_gitlab.company.people import bot_of, service_account
from stand_in_gitlab.company.state import Company

FULL = ("api",)
READ = ("read_api",)
GRANULAR = ("granular",)
READING = (
    Grant(access="user", permissions=("User: Read", "Personal Access Token: Read", "Group: Read", "Project: Read")),
    Grant(access="instance", permissions=("Metadata: Read",)),
    Grant(
        access="all_memberships",
        permissions=("Group: Read", "Project: Read", "Member: Read", "Invitation: Read", "Pipeline: Read"),
    ),
)
"""What connecting and both syncs need, and nothing else."""


def issue(company: Company) -> None:
    """Hand out the well-known tokens; their names are the keys of `company.well_known`."""
    owner_group, owner = _an_owner(company)
    project_id = next(
        (each.id for each in company.projects.values() if each.group_id == owner_group), min(company.projects)
    )
    group_bot, project_bot = bot_of(company, "group", owner_group).id, bot_of(company, "project", project_id).id
    service = service_account(company, owner_group, "Sync robot").id
    enrol(company, "group", owner_group, group_bot, 50)
    enrol(company, "project", project_id, project_bot, 40)
    enrol(company, "group", owner_group, service, 20)
    add(company, "admin", 1, FULL)
    add(company, "admin-read", 1, READ)
    add(company, "owner-read", owner, READ)
    add(company, "group", group_bot, READ, kind="group", level=50)
    add(company, "project", project_bot, READ, kind="project", level=40)
    add(company, "service", service, READ, kind="service_account")
    add(company, "fine-grained", owner, GRANULAR, grants=READING)
    add(company, "narrow", owner, ("read_user",))
    add(company, "expired", owner, READ, expires_at=day(company.epoch - 3 * DAY))
    add(company, "revoked", owner, READ).revoked = True
    add(company, "impersonation", owner, READ).impersonation = True


def _an_owner(company: Company) -> tuple[int, int]:
    """The first top-level group and an Owner of it who is no administrator and may sign in."""
    group_id = min(company.groups)
    plain = [
        user
        for user in company.users.values()
        if not (user.is_admin or user.bot or user.external) and user.state == "active"
    ]
    owners = [user.id for user in plain if _level(company, group_id, user.id) == 50]  # noqa: PLR2004 - Owner
    user_id = min(owners, default=plain[0].id)
    enrol(company, "group", group_id, user_id, 50)
    return group_id, user_id


def _level(company: Company, group_id: int, user_id: int) -> int:
    member = company.members["group", group_id].get(user_id)
    return member.level if member else 0


def add(
    company: Company,
    name: str,
    user_id: int,
    scopes: tuple[str, ...],
    *,
    kind: TokenKind = "personal",
    level: int | None = None,
    expires_at: str | None = None,
    value: str | None = None,
    grants: tuple[Grant, ...] | None = None,
) -> Token:
    """Issue a token. The text is always the same for the same name, so that scripts may carry it."""
    number = company.next_id("token")
    token = Token(
        id=number,
        value=value or f"glpat-standin-{name}-{0:08d}",
        name=name,
        user_id=user_id,
        scopes=scopes,
        created=round(company.epoch - 30 * DAY, 6),
        kind=kind,
        level=level,
        expires_at=expires_at or day(company.epoch + 300 * DAY),
        family=number,
        grants=grants,
    )
    company.tokens[token.value] = token
    company.well_known[name] = token.value
    return token
