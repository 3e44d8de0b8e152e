"""Every type of target that a trigger can name."""

from collections.abc import Mapping

from gitlab_hub.builds.targets.base import BuildTarget
from gitlab_hub.builds.targets.codebuild import CodeBuildTarget
from gitlab_hub.builds.targets.eventbridge import EventBridgeTarget
from gitlab_hub.builds.targets.https import HttpsTarget, Signer
from gitlab_hub.builds.targets.sqs import SqsTarget
from gitlab_hub.builds.targets.stepfunctions import StepFunctionsTarget
from gitlab_hub.gitlab.policy import NetworkPolicy


def build_targets(
    *, bus: str, policy: NetworkPolicy, sign: Signer, ca_bundle: str | None = None
) -> Mapping[str, BuildTarget]:
    """Targets by their type. `bus`: the hub's own event bus; `policy`: where HTTPS targets may lie."""
    return {
        "eventbridge": EventBridgeTarget(bus),
        "codebuild": CodeBuildTarget(),
        "stepfunctions": StepFunctionsTarget(),
        "sqs": SqsTarget(),
        "https": HttpsTarget(policy, sign, ca_bundle=ca_bundle),
    }
