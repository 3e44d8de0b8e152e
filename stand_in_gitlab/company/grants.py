"""Who is a member of what: direct memberships, shares and invitations."""

from stand_in_gitlab.clock import DAY, day
from stand_in_gitlab.company.model import CustomRole, Group, Invitation, Membership, Project, Share, SourceKind
from stand_in_gitlab.company.people import DOMAIN, bot_of
from stand_in_gitlab.company.prng import Prng, prng
from stand_in_gitlab.company.state import Company

ROLES = [CustomRole(101, "Release captain", 30), CustomRole(102, "Vulnerability reader", 20)]
LEVELS = [5, 10, 15, 20, 25, 30, 40, 50]
GROUP_WEIGHTS = [1, 6, 3, 12, 1, 45, 22, 10]
PROJECT_WEIGHTS = [0, 8, 3, 12, 1, 46, 25, 5]


def staff(company: Company) -> None:
    """Fill every group and project with members."""
    people = [user.id for user in company.users.values() if not user.bot]
    for group in list(company.groups.values()):
        _staff_group(company, group, people)
    for project in list(company.projects.values()):
        _staff_project(company, project, people)
    company.generation += 1


def _staff_group(company: Company, group: Group, people: list[int]) -> None:
    chance = prng(company.seed, "group members", group.id)
    top = group.parent_id is None
    if top:
        enrol(company, "group", group.id, _living(company, chance, people), 50)
    _enrol_some(company, "group", group.id, chance, people, chance.randint(4, 12) if top else chance.randint(0, 5))
    if chance.hits(0.1):
        enrol(company, "group", group.id, bot_of(company, "group", group.id).id, 30)
    _share(company, group, chance, group.id)
    _invite(company, "group", group.id, chance)


def _staff_project(company: Company, project: Project, people: list[int]) -> None:
    chance = prng(company.seed, "project members", project.id)
    if project.group_id is None:
        enrol(company, "project", project.id, project.creator_id, 50)
    _enrol_some(company, "project", project.id, chance, people, chance.choice([0, 0, 1, 1, 2, 3, 5]))
    if chance.hits(0.05):
        enrol(company, "project", project.id, bot_of(company, "project", project.id).id, 40)
    _share(company, project, chance, project.group_id)
    _invite(company, "project", project.id, chance)


def _living(company: Company, chance: Prng, people: list[int]) -> int:
    return chance.choice([user_id for user_id in people if company.users[user_id].state == "active"])


def _enrol_some(
    company: Company, kind: SourceKind, source_id: int, chance: Prng, people: list[int], count: int
) -> None:
    weights = GROUP_WEIGHTS if kind == "group" else PROJECT_WEIGHTS
    for user_id in chance.sample(people, k=min(count, len(people))):
        if user_id not in company.members[kind, source_id]:
            member = enrol(company, kind, source_id, user_id, chance.choices(LEVELS, weights)[0])
            member.expires_at = _expiry(company, chance)
            member.role = next((role for role in ROLES if role.base_level == member.level and chance.hits(0.1)), None)


def _expiry(company: Company, chance: Prng) -> str | None:
    """One in twelve is temporary; of these some ran out yesterday and the nightly clean-up has not come by."""
    if not chance.hits(0.08):
        return None
    return day(company.epoch + chance.choice([-1, 3, 20, 60, 200]) * DAY)


def enrol(company: Company, kind: SourceKind, source_id: int, user_id: int, level: int) -> Membership:
    """Make a user a direct member."""
    created = round(company.epoch - 150 * DAY + user_id * 13.170013 + source_id, 6)
    member = Membership(user_id=user_id, level=level, created=created, created_by=1)
    company.members[kind, source_id][user_id] = member
    company.generation += 1
    return member


def _share(company: Company, source: Group | Project, chance: Prng, home: int | None) -> None:
    own_line = {group.id for group in company.ancestors(home)}
    strangers = [group_id for group_id in company.groups if group_id not in own_line]
    if strangers and chance.hits(0.1):
        expires = day(company.epoch + 30 * DAY) if chance.hits(0.2) else None
        share = Share(group_id=chance.choice(strangers), level=chance.choice([10, 20, 30, 40]), expires_at=expires)
        source.shares.append(share)


def _invite(company: Company, kind: SourceKind, source_id: int, chance: Prng) -> None:
    if chance.hits(0.06):
        number = company.next_id("invitation")
        company.invitations[kind, source_id][number] = Invitation(
            id=number,
            email=f"new.colleague{number}@{DOMAIN}",
            level=chance.choice([10, 20, 30]),
            created=round(company.epoch - chance.random() * 20 * DAY, 6),
            created_by="Administrator",
            expires_at=day(company.epoch + 14 * DAY) if chance.hits(0.5) else None,
        )
