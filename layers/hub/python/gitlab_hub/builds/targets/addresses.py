"""Where targets may lie: the deployer says so, not the caller who names one."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gitlab_hub.builds.targets.allowed import AllowedArns
from gitlab_hub.gitlab.address import Address, NetworkPolicy
from gitlab_hub.gitlab.errors import HostNotAllowed, InvalidUrl
from gitlab_hub.web.errors import Unprocessable

_QUERY = re.compile(r"[!-\"$-~]*", re.ASCII)


def vetted(url: str, policy: NetworkPolicy) -> tuple[Address, str]:
    """Read the URL of an endpoint that the rules must allow; gives where to connect to and what to ask for.

    Its name is not resolved here: that is done, and vetted, for every connection. Raises InvalidUrl or HostNotAllowed.
    """
    try:
        parts = urlsplit(url)
        address = Address.vetted(f"{parts.scheme}://{parts.netloc}", policy)
        whole = address.url(parts.path or "/")
    except ValueError:
        raise InvalidUrl("The URL of the target is no plain URL.") from None
    if parts.fragment or not _QUERY.fullmatch(parts.query):
        raise InvalidUrl("The URL of the target has no fragment, and no blanks in its query.")
    return address, f"{whole}?{parts.query}" if parts.query else whole


class TargetNotAllowed(Unprocessable):
    """The deployer does not allow builds to be sent there (422)."""

    code = "target_not_allowed"


class TargetHostNotAllowed(TargetNotAllowed):
    """The same of the host of an HTTPS target."""

    code = "host_not_allowed"


class TargetCheck:
    """Refuses a target that no build could be sent to, where somebody is there to mend it."""

    def __init__(self, policy: NetworkPolicy, arns: AllowedArns) -> None:
        self._policy, self._arns = policy, arns

    def __call__(self, target: Mapping[str, Any]) -> None:
        """Check a well-formed target. Raises TargetNotAllowed."""
        if target.get("type") == "https":
            self._check_host(str(target.get("url")))
        else:
            self._check_arn(target)

    def _check_host(self, url: str) -> None:
        try:
            vetted(url, self._policy)
        except (InvalidUrl, HostNotAllowed) as error:
            raise TargetHostNotAllowed(
                f"{error} The deployer lists the hosts that builds may be sent to in the parameter BuildTargetHosts; "
                "a private address also needs AllowedPrivateCidrs.",
                details={"fields": [{"field": "body.target.url", "problem": error.code}]},
            ) from None

    def _check_arn(self, target: Mapping[str, Any]) -> None:
        found = self._arns.refusal(target)
        if found is None:
            return
        named = "" if found.arn is None else f" ({found.arn})"
        raise TargetNotAllowed(
            f"The deployer does not allow builds to be sent to this target{named}. "
            f"Its ARN has to be in the parameter {found.parameter} of the stack.",
            details={"fields": [{"field": f"body.target.{found.field}", "problem": TargetNotAllowed.code}]},
        )
