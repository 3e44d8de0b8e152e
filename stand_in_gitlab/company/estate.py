"""Groups and projects: a tree of departments and teams, with projects at every height."""

from stand_in_gitlab.clock import DAY
from stand_in_gitlab.company.model import Group, Project
from stand_in_gitlab.company.names import DEPARTMENTS, SERVICES, TEAMS, TOPICS
from stand_in_gitlab.company.prng import Prng, prng
from stand_in_gitlab.company.state import Company

VISIBILITIES = ["private", "internal", "public"]
MAX_DEPTH, FIRST_FORK = 5, 10


def found_groups(company: Company, count: int) -> None:
    """One group in six is a top-level one; the others hang below any earlier group."""
    for number in range(count):
        group_id = company.next_id("namespace")
        chance = prng(company.seed, "group", group_id)
        parent = None if number % 6 == 0 else _parent(company, chance)
        add_group(
            company, group_id, _group_name(chance, parent, group_id), parent, chance.choices(VISIBILITIES, [8, 1, 1])[0]
        )


def _parent(company: Company, chance: Prng) -> Group:
    shallow = [group for group in company.groups.values() if group.full_path.count("/") < MAX_DEPTH]
    return chance.choice(shallow[-60:])


def _group_name(chance: Prng, parent: Group | None, group_id: int) -> str:
    return f"{chance.choice(TEAMS if parent else DEPARTMENTS)}-{group_id}"


def add_group(company: Company, group_id: int, path: str, parent: Group | None, visibility: str) -> Group:
    """Put a group into the tree; it is never more visible than its parent."""
    widest = VISIBILITIES.index(parent.visibility) if parent else len(VISIBILITIES) - 1
    name = path.replace("-", " ").title()
    group = Group(
        id=group_id,
        name=name,
        path=path,
        full_name=f"{parent.full_name} / {name}" if parent else name,
        full_path=f"{parent.full_path}/{path}" if parent else path,
        parent_id=parent.id if parent else None,
        visibility=VISIBILITIES[min(widest, VISIBILITIES.index(visibility))],
        created=round(company.epoch - 900 * DAY + group_id * 60.123457, 6),
        description=f"Everything about {path}",
    )
    company.groups[group_id] = group
    return group


def found_projects(company: Company, count: int) -> None:
    """Most projects live in groups, some in a person's own namespace, some are forks."""
    groups = list(company.groups.values())
    people = [user.id for user in company.users.values() if not user.bot and user.state == "active"]
    for _ in range(count):
        project_id = company.next_id("project")
        chance = prng(company.seed, "project", project_id)
        home = None if not groups or chance.hits(0.03) else chance.choice(groups)
        project = add_project(
            company, project_id, f"{chance.choice(SERVICES)}-{project_id}", home, chance.choice(people)
        )
        _vary(company, project, chance)


def add_project(company: Company, project_id: int, path: str, group: Group | None, creator_id: int) -> Project:
    """Create a private project in a group, or in its creator's namespace."""
    owner = company.users[creator_id]
    space_name, space_path = (group.full_name, group.full_path) if group else (owner.name, owner.username)
    name = path.replace("-", " ").title()
    project = Project(
        id=project_id,
        name=name,
        path=path,
        full_name=f"{space_name} / {name}",
        full_path=f"{space_path}/{path}",
        group_id=group.id if group else None,
        creator_id=creator_id,
        visibility="private",
        created=round(company.epoch - 400 * DAY + project_id * 71.321987, 6),
        last_activity=round(company.epoch - DAY, 6),
    )
    company.projects[project_id] = project
    return project


def _vary(company: Company, project: Project, chance: Prng) -> None:
    widest = VISIBILITIES.index(company.groups[project.group_id].visibility) if project.group_id else 2
    project.visibility = VISIBILITIES[min(widest, chance.choices([0, 1, 2], [8, 1, 1])[0])]
    project.archived = chance.hits(0.05)
    project.default_branch = chance.choices(["main", "master", "trunk", None], [80, 14, 4, 2])[0]
    project.builds_enabled = not chance.hits(0.02)
    project.public_jobs = not chance.hits(0.1)
    project.topics = tuple(sorted(chance.sample(TOPICS, k=chance.randint(0, 3))))
    if project.id > FIRST_FORK and chance.hits(0.03):
        project.forked_from = chance.randrange(1, project.id)
