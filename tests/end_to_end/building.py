"""A project that the hub builds: its hook, its trigger, and the statuses at its commits."""

from typing import Any

from tests.end_to_end.coding_company import CodingCompany, Row
from tests.end_to_end.hub_client import Answer, until

NAME = "hub-ci"
CODE = ("push", "tag_push", "merge_request")


class Built:
    """A project with a hook of its own and a trigger for a target."""

    def __init__(self, company: CodingCompany, target: Row, **wanted: Any) -> None:
        self._coding_company, self._hub, self.gitlab = company, company.hub, company.gitlab
        self.project = company.project()
        self.hook = company.hook("project", self.project, *CODE)
        body = {
            "integration_id": company.id,
            "project_id": self.project,
            "events": ["push", "merge_request"],
            "target": target,
            "report_status": {"enabled": True, "name": NAME},
            **wanted,
        }
        answer = self._hub.call("POST", "/v1/triggers", body)
        assert answer.status == 201, answer
        self.trigger: Row = answer.body["trigger"]
        self.id = str(self.trigger["id"])

    def secret(self) -> str:
        """Have the next signing secret made."""
        answer = self._hub.call("POST", f"/v1/triggers/{self.id}/signing-secret", {})
        assert answer.status == 200, answer
        self._hub.guard(answer.body["signing_secret"], shown_at="/signing-secret$")
        return str(answer.body["signing_secret"])

    def push(self, branch: str = "main", **what: Any) -> str:
        """Push a commit; gives its sha."""
        return str(self.gitlab.push(self.project, branch, files=["app/main.py"], **what)["after"])

    def delivery(self, count: int = 1) -> Row:
        """The newest delivery, once so many were worked on."""
        return self._coding_company.worked_on(count, hook_id=self.hook["id"])[0]

    def builds(self) -> list[Row]:
        """All builds, newest first."""
        return self._coding_company.builds(trigger_id=self.id)

    def build(self, *statuses: str, **fields: Any) -> Row:
        """The newest build with these fields, once there is one in one of these statuses."""

        def look() -> Row | None:
            fitting = [row for row in self.builds() if fields.items() <= row.items()]
            return next((row for row in fitting[:1] if not statuses or row["status"] in statuses), None)

        return until(look, pause=0.05)

    def statuses(self, sha: str) -> list[str]:
        """What GitLab was told of a commit, oldest first."""
        rows = self.gitlab.truth("statuses", project_id=self.project)
        return [str(row["status"]) for row in rows if row["sha"] == sha and row["name"] == NAME]

    def shows(self, sha: str, status: str) -> None:
        """Wait until GitLab shows a status at a commit."""
        until(lambda: self.statuses(sha)[-1:] == [status], pause=0.02)

    def report(self, build_id: str, status: str, **more: Any) -> Answer:
        """Report in the place of whoever builds."""
        return self._hub.call("PATCH", f"/v1/builds/{build_id}", {"status": status, **more})

    def do(self, build_id: str, what: str) -> Answer:
        """Cancel a build, run it again, approve it."""
        return self._hub.call("POST", f"/v1/builds/{build_id}/{what}")
