"""What errors of AWS mean for a build: try again, or tell somebody."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from gitlab_hub.builds.targets.base import TargetDenied, TargetMissing, TargetRefused, TargetUnavailable
from gitlab_hub.errors import HubError
from gitlab_hub.storage.aws import code_of, is_transient

T = TypeVar("T")

# Limits of the account: room comes back when other builds end.
_FULL = frozenset({"AccountLimitExceededException", "ExecutionLimitExceeded", "OverLimit", "LimitExceededException"})
_DENIED = ("AccessDenied", "NotAuthorized", "UnauthorizedOperation", "KmsAccessDenied", "KMS.AccessDenied")
_MISSING = ("NotFound", "DoesNotExist", "NonExistentQueue", "StateMachineDeleting")


def call_aws(send: Callable[[], T]) -> T:
    """Call AWS. Raises TargetRefused or TargetUnavailable; AWS's own words may name things and stay inside."""
    try:
        return send()
    except ParamValidationError:
        raise TargetRefused("AWS cannot take what the trigger's target says. Check its fields.") from None
    except BotoCoreError:
        raise _unavailable("no answer") from None
    except ClientError as error:
        raise _sorted_error(error) from None


def _sorted_error(error: ClientError) -> HubError:
    code = code_of(error)
    if is_transient(error) or code in _FULL:
        return _unavailable(code)
    if code.startswith(_DENIED):
        return TargetDenied("The hub's builder may not use this target. The deployer gives it the right (Build…Arns).")
    if any(word in code for word in _MISSING):
        return TargetMissing("AWS has no such target in this account and region. Check the name in the trigger.")
    return TargetRefused(f"AWS refused the build ({_safe_code(code)}). Check the trigger's target.")


def _unavailable(code: str) -> TargetUnavailable:
    return TargetUnavailable(f"AWS did not take the build now ({_safe_code(code)}); the hub tries again.")


def _safe_code(code: str) -> str:
    return code if code.replace(".", "").replace(" ", "").isalnum() else "unknown"
