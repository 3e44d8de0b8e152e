"""A build of a CodeBuild project; its state changes come back through EventBridge."""

from collections.abc import Callable, Mapping
from typing import Any

from gitlab_hub.builds.runs.model import Build, BuildStatus
from gitlab_hub.builds.targets.arns import OF_CODEBUILD, build_page
from gitlab_hub.builds.targets.aws import call_aws
from gitlab_hub.builds.targets.base import Started, TargetMissing, environment_of, target_field
from gitlab_hub.storage.aws import LazyClient

_RECENT = 100


class CodeBuildTarget:
    """Starts and stops builds."""

    def __init__(self, client: Callable[[], Any] | None = None) -> None:
        self._client = client or LazyClient("codebuild")

    def start(self, build: Build, message: Mapping[str, Any]) -> Started:
        """Start a build, unless an earlier try did.

        CodeBuild remembers an idempotency token for five minutes only, so a later try looks for the build first.
        """
        found = None if build.starting_at is None else self._find(build)
        if found is None:
            asking = self._arguments(build, message)
            found = call_aws(lambda: self._client().start_build(**asking))["build"]
        return Started(found["arn"], build_page(found["arn"]))

    def poll(self, build: Build) -> BuildStatus | None:
        """Ask CodeBuild for the build."""
        if build.external_id is None:
            return None
        ids = [_id_of(build.external_id)]
        found = call_aws(lambda: self._client().batch_get_builds(ids=ids))["builds"]
        return OF_CODEBUILD.get(found[0]["buildStatus"]) if found else None

    def stop(self, build: Build, message: Mapping[str, Any]) -> None:  # noqa: ARG002 - the port's signature
        """Stop a build."""
        external_id = build.external_id
        if external_id is None:
            found = self._find(build)
            if found is None:
                return
            external_id = str(found["arn"])
        try:
            call_aws(lambda: self._client().stop_build(id=_id_of(external_id)))
        except TargetMissing:
            return

    @staticmethod
    def _arguments(build: Build, message: Mapping[str, Any]) -> dict[str, Any]:
        # PLAINTEXT: a branch may be called like a parameter or a secret, and must not be looked up as one.
        variables = [
            {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in environment_of(message).items()
        ]
        asking = {
            "projectName": target_field(build, "project"),
            "idempotencyToken": build.id,
            "environmentVariablesOverride": variables,
        }
        # Only a project whose source is this very repository knows the commit.
        return asking | ({"sourceVersion": build.sha} if build.target.get("source_version") is True else {})

    def _find(self, build: Build) -> dict[str, Any] | None:
        """Look among the newest builds of the project for the one that was started for this one."""
        project = target_field(build, "project")
        newest = call_aws(lambda: self._client().list_builds_for_project(projectName=project, sortOrder="DESCENDING"))
        ids = newest["ids"][:_RECENT]
        if not ids:
            return None
        found: list[dict[str, Any]] = call_aws(lambda: self._client().batch_get_builds(ids=ids))["builds"]
        return next((one for one in found if _is_for(one, build.id)), None)


def _id_of(arn: str) -> str:
    """CodeBuild's calls want `project:uuid`; its events and answers give an ARN that ends in it."""
    return arn.rpartition(":build/")[2]


def _is_for(found: Mapping[str, Any], build_id: str) -> bool:
    variables = found.get("environment", {}).get("environmentVariables", [])
    return any(each.get("name") == "HUB_BUILD_ID" and each.get("value") == build_id for each in variables)
