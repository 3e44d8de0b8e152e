"""GitLab's access levels and what people call them (docs.gitlab.com/api/access_requests, "Valid access levels")."""

MINIMAL_ACCESS, GUEST, PLANNER, REPORTER, SECURITY_MANAGER = 5, 10, 15, 20, 25
DEVELOPER, MAINTAINER, OWNER = 30, 40, 50

ROLES = {
    0: "No access",
    MINIMAL_ACCESS: "Minimal Access",
    GUEST: "Guest",
    PLANNER: "Planner",
    REPORTER: "Reporter",
    SECURITY_MANAGER: "Security Manager",
    DEVELOPER: "Developer",
    MAINTAINER: "Maintainer",
    OWNER: "Owner",
}


def role_name(level: int) -> str:
    """Name a level as GitLab does; levels of the future keep their number."""
    return ROLES.get(level, f"Level {level}")
