"""What of AWS the deployer lets builds go to: the same ARNs that are rights of the builder's role."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from gitlab_hub.builds.targets.arns import execution_arn, parts_of, unqualified

_AT_END = re.compile(r"\\\*(?=:|$)")
"""An escaped `*` that ends its segment."""

_ANY_BUILD = "bld_any"
"""Stands for the name of an execution, which is its build's id: only a pattern can allow those that are to come."""

_LEGACY_OF_US_EAST_1 = "queue.amazonaws.com"


@dataclass(frozen=True, slots=True)
class NotListed:
    """A target that the builder has no right to use."""

    field: str
    """Of the trigger's target."""
    arn: str | None
    """What would have to be listed; None where the target cannot be told by an ARN."""
    parameter: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A target in another region than the stack."""

    field: str
    """Of the trigger's target."""
    region: str
    own_region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowedArns:
    """Patterns by the template's parameters; nothing but the stack's own bus is allowed by silence."""

    own_bus: str = ""
    """The ARN of the stack's own bus, which needs no entry. It says where what is given by its name alone lies."""
    buses: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    state_machines: tuple[str, ...] = ()
    executions: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()

    def refusal(self, target: Mapping[str, Any]) -> NotListed | None:
        """Say what keeps builds from a well-formed target of AWS; None where nothing does, and of other targets."""
        match target:
            case {"type": "eventbridge", "bus": str(bus)}:
                arn = bus if bus.startswith("arn:") else self._own("events", f"event-bus/{bus}")
                return _unless((self.own_bus, *self.buses), NotListed("bus", arn, "BuildBusArns"))
            case {"type": "codebuild", "project": str(project)}:
                arn = self._own("codebuild", f"project/{project}")
                return _unless(self.projects, NotListed("project", arn, "BuildProjectArns"))
            case {"type": "stepfunctions", "state_machine_arn": str(machine)}:
                return self._of_machine(unqualified(machine))
            case {"type": "sqs", "queue_url": str(url)}:
                return _unless(self.queues, NotListed("queue_url", self._queue(url), "BuildQueueArns"))
        return None

    def other_region(self, target: Mapping[str, Any]) -> Elsewhere | None:
        """Say where a target lies that is not in the stack's region: the builder asks its own region's endpoints."""
        own = parts_of(self.own_bus)
        for field in ("bus", "state_machine_arn", "queue_url"):
            given = str(target.get(field) or "")
            there = parts_of((self._queue(given) or "") if field == "queue_url" and given else given)
            if own is not None and there is not None and there[2] != own[2]:
                return Elsewhere(field, there[2], own[2])
        return None

    def _of_machine(self, machine: str) -> NotListed | None:
        """An execution is started by a right on its state machine, and followed and stopped by one on itself."""
        started = NotListed("state_machine_arn", machine, "BuildStateMachineArns")
        followed = NotListed("state_machine_arn", execution_arn(machine, _ANY_BUILD), "BuildExecutionArns")
        return _unless(self.state_machines, started) or _unless(self.executions, followed)

    def _own(self, service: str, resource: str) -> str | None:
        """The ARN of what a name means: it lies where the stack is."""
        own = parts_of(self.own_bus)
        return None if own is None else f"arn:{own[0]}:{service}:{own[2]}:{own[3]}:{resource}"

    def _queue(self, url: str) -> str | None:
        """The ARN of a queue by its URL: `https://sqs.<region>.amazonaws.com/<account>/<name>`."""
        own, parts = parts_of(self.own_bus), urlsplit(url)
        if own is None:
            return None
        _, account, name = parts.path.split("/")
        return f"arn:{own[0]}:sqs:{_region(parts.hostname or '') or own[2]}:{account}:{name}"


def _unless(patterns: Iterable[str], found: NotListed) -> NotListed | None:
    is_listed = found.arn is not None and any(fits(pattern, found.arn) for pattern in patterns)
    return None if is_listed else found


def fits(pattern: str, arn: str) -> bool:
    """Whether an ARN is one that a policy's resource means, as IAM reads it.

    `?` is one character and `*` any number of them within a segment (between colons); a `*` that ends its segment goes
    on beyond the colon. Upper and lower case differ ("IAM JSON policy elements: Resource", wildcards in resource ARNs).
    """
    read = _AT_END.sub(".*", re.escape(pattern)).replace(r"\*", "[^:]*").replace(r"\?", "[^:]")
    return re.fullmatch(read, arn) is not None


def _region(host: str) -> str | None:
    """The region of an endpoint of SQS, also of a VPC's and of the old form `<region>.queue.amazonaws.com`.

    None where it names none, as an emulator's. ("Amazon Simple Queue Service endpoints and quotas".)
    """
    labels = host.split(".")
    if host == _LEGACY_OF_US_EAST_1:
        return "us-east-1"
    if host.endswith(f".{_LEGACY_OF_US_EAST_1}"):
        return labels[0]
    following = (after for label, after in pairwise(labels) if label in {"sqs", "sqs-fips"})
    return next(following, None)
