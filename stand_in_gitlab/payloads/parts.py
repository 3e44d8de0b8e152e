"""What the bodies of webhooks have in common."""

import time
from typing import Any

from stand_in_gitlab.clock import iso
from stand_in_gitlab.company.code_model import Commit
from stand_in_gitlab.company.model import Project, User
from stand_in_gitlab.company.state import Company

Json = dict[str, Any]
VISIBILITY = {"private": 0, "internal": 10, "public": 20}
REPOSITORY = ("name", "url", "description", "homepage", "git_http_url", "git_ssh_url", "visibility_level")
SHORT_REPOSITORY = ("name", "url", "description", "homepage")


class Parts:
    """Projects, people and commits as webhooks show them; addresses start with the external URL."""

    def __init__(self, company: Company, base: str) -> None:
        self.company, self.base = company, base

    def project(self, project: Project) -> Json:
        """A project."""
        url = f"{self.base}/{project.full_path}"
        ssh = f"git@gitlab.acme.example:{project.full_path}.git"
        return {
            "id": project.id,
            "name": project.name,
            "description": "",
            "web_url": url,
            "avatar_url": None,
            "git_ssh_url": ssh,
            "git_http_url": f"{url}.git",
            "namespace": project.full_name.rpartition(" / ")[0],
            "visibility_level": VISIBILITY[project.visibility],
            "path_with_namespace": project.full_path,
            "default_branch": project.default_branch,
            "ci_config_path": "",
            "homepage": url,
            "url": ssh,
            "ssh_url": ssh,
            "http_url": f"{url}.git",
        }

    def repository(self, project: Project, *, short: bool = False) -> Json:
        """The deprecated twin of the project."""
        whole = self.project(project)
        return {name: whole[name] for name in (SHORT_REPOSITORY if short else REPOSITORY)}

    def user(self, user: User) -> Json:
        """Who did it; GitLab hides addresses that are not public."""
        return {
            "id": user.id,
            "name": user.name,
            "username": user.username,
            "avatar_url": self.avatar(user),
            "email": "[REDACTED]",
        }

    def avatar(self, user: User) -> str:
        """Where the picture is."""
        return f"{self.base}/uploads/-/system/user/avatar/{user.id}/avatar.png"

    def someone(self, user_id: int) -> User:
        """An account, or the administrator in the place of one that is gone."""
        return self.company.users.get(user_id) or self.company.users[1]

    def commit(self, commit: Commit, project: Project, *, files: bool = False) -> Json:
        """A commit; pushes say which files it touches, of a renamed one only the new name, as added.

        lib/gitlab/git/commit_stats and Gitlab::Git::CommitDelta: paths are those after the commit, and only deletions
        count as removed.
        """
        author = self.someone(commit.author_id)
        row: Json = {
            "id": commit.sha,
            "message": commit.message,
            "title": commit.title,
            "timestamp": offset_time(commit.created),
            "url": f"{self.base}/{project.full_path}/-/commit/{commit.sha}",
            "author": {"name": author.name, "email": author.email},
        }
        if files:
            row["added"] = [*commit.added, *commit.renamed.values()]
            row["modified"] = list(commit.modified)
            row["removed"] = list(commit.removed)
        return row


def utc(moment: float | None) -> str | None:
    """`2016-08-12 15:26:12 UTC`, the form of most times in webhooks."""
    return None if moment is None else time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(moment))


def offset_time(moment: float) -> str:
    """`2012-01-03T23:36:29+00:00`, the form of commits."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(moment))


def zulu(moment: float) -> str:
    """`2020-12-11T04:57:22Z`, the form of members and system events."""
    return f"{iso(moment)[:19]}Z"
