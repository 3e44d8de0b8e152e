"""A top-level group that pays for gitlab.com: enterprise users, SAML and SCIM, service accounts, people who wait."""

from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.grants import enrol
from stand_in_gitlab.company.model import DEVELOPER, OWNER, User
from stand_in_gitlab.company.people import DOMAIN, machine
from stand_in_gitlab.company.prng import prng
from stand_in_gitlab.company.state import Company
from stand_in_gitlab.company.tokens import READ, add


def subscribe(company: Company) -> None:
    """Have the first top-level group pay, and its people come from an identity provider."""
    company.behaviour.account_lists = company.behaviour.gitlab_com = True
    group = company.groups[min(company.groups)]
    group.plan, group.has_saml = "ultimate", True
    for user in people_of(company, group.id):
        _provide(company, group.id, user)
    for name in ("former.colleague", "late.joiner"):
        # Provisioned, and a member of nothing.
        _provide(company, group.id, _person(company, name), always=True)
    deployer = machine(company, "deployer", "Deployer")
    deployer.service_account, deployer.provisioned_by = True, group.id
    waiting = _person(company, "waiting.colleague")
    enrol(company, "group", group.id, waiting.id, DEVELOPER).awaiting = True
    add(company, "member-read", _plain_member(company, group.id).id, READ)
    company.generation += 1


def tree_of(company: Company, group_id: int) -> tuple[set[int], set[int]]:
    """The groups and projects of a top-level group."""
    groups = {group_id, *(group.id for group in company.descendants(group_id))}
    return groups, {project.id for project in company.projects_of(groups)}


def people_of(company: Company, group_id: int) -> list[User]:
    """The people who are members of something in a top-level group, by id."""
    groups, projects = tree_of(company, group_id)
    sources = [*(("group", number) for number in groups), *(("project", number) for number in projects)]
    ids = {user_id for source, members in company.members.items() if source in sources for user_id in members}
    return [company.users[number] for number in sorted(ids) if not company.users[number].bot]


def _provide(company: Company, group_id: int, user: User, *, always: bool = False) -> None:
    chance = prng(company.seed, "provider", group_id, user.id)
    if always or chance.hits(0.7):
        user.enterprise_group = group_id
    if always or chance.hits(0.7):
        user.saml = ((group_id, f"saml-{user.id}"),)
        user.scim = ((group_id, f"scim-{user.id}", chance.hits(0.8)),)
    user.public_email = f"{user.username}@public.example" if chance.hits(0.2) else ""


def _person(company: Company, username: str) -> User:
    user = machine(company, username, username.replace(".", " ").title(), bot=False)
    user.email, user.two_factor = f"{username}@{DOMAIN}", True
    user.last_sign_in = round(company.epoch - 40 * DAY, 6)
    return user


def _plain_member(company: Company, group_id: int) -> User:
    """Somebody who is a member of the group and an Owner of none at the top."""
    tops = [group.id for group in company.groups.values() if group.parent_id is None]
    for user_id, member in sorted(company.members["group", group_id].items()):
        user = company.users[user_id]
        levels = [company.members["group", top].get(user_id) for top in tops]
        owns = any(one is not None and one.level >= OWNER for one in levels)
        if not (owns or user.bot or user.is_admin or member.awaiting) and user.state == "active":
            return user
    user = _person(company, "plain.member")
    enrol(company, "group", group_id, user.id, DEVELOPER)
    return user
