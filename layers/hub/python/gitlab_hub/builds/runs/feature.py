"""What works on builds and what people do to them, put together over the ports of builds."""

from collections.abc import Callable, Mapping

from gitlab_hub.audit.log import Audit
from gitlab_hub.builds.feature import BuildsFeature
from gitlab_hub.builds.runs.commands import BuildCommands
from gitlab_hub.builds.runs.commit_status import StatusReporter
from gitlab_hub.builds.runs.commits import Commits
from gitlab_hub.builds.runs.starter import Starter
from gitlab_hub.builds.runs.state_changes import StateChanges
from gitlab_hub.builds.runs.worker import Builder
from gitlab_hub.builds.targets.base import BuildTarget
from gitlab_hub.builds.triggers.checks import CheckTarget


def builder_of(builds: BuildsFeature, targets: Mapping[str, BuildTarget], *, draw: Callable[[], float]) -> Builder:
    """What works on the builds queue, on the schedule and on state changes; `targets` by their type."""
    service, store, gitlabs, now = builds.service, builds.store, builds.gitlabs, builds.now
    return Builder(
        service=service,
        store=store,
        starter=Starter(service=service, store=store, targets=targets, gitlabs=gitlabs, now=now),
        reporter=StatusReporter(service=service, store=store, gitlabs=gitlabs, now=now, draw=draw),
        changes=StateChanges(service, now),
        now=now,
    )


def commands_of(builds: BuildsFeature, *, audit: Audit, check_target: CheckTarget) -> BuildCommands:
    """What people do to builds; `check_target` raises a HubError for a target that is not allowed."""
    return BuildCommands(
        service=builds.service,
        store=builds.store,
        triggers=builds.triggers.store,
        commits=Commits(builds.gitlabs),
        group_lookup=builds.triggers.group_lookup,
        check_target=check_target,
        audit=audit,
        now=builds.now,
    )
