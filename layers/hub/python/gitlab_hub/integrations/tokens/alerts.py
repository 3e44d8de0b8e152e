"""What a person has to hear of tokens: a log line and a metric with an alarm on it."""

import logging
import os
from typing import Protocol

from gitlab_hub.integrations.model import Credential, CredentialStatus
from gitlab_hub.web.telemetry import count

_LOG = logging.getLogger(__name__)


class TokenAlerts(Protocol):
    """Where token services report what a person has to know."""

    def needs_reauth(self, integration_id: str, credential_id: str, reason: str) -> None:
        """A token is lost: only a person can give a new one."""

    def rejected(self, credential: Credential) -> None:
        """GitLab refuses a token, or its rights do not do: only a person can help."""

    def not_renewed(self, integration_id: str, credential_id: str, reason: str) -> None:
        """A token lives and cannot be renewed, by something that a person should look at."""

    def expiring(self, integration_id: str, credential_id: str, days: int) -> None:
        """A token expires within so many days."""

    def failed(self, integration_id: str, code: str) -> None:
        """The check of an integration's tokens failed in a way that may pass."""


class LambdaTokenAlerts:
    """Log lines and embedded metrics of the running function."""

    def needs_reauth(self, integration_id: str, credential_id: str, reason: str) -> None:
        """Log and count `CredentialsLost`."""
        self._tell("credential lost", "CredentialsLost", integration_id, credential_id=credential_id, reason=reason)

    def rejected(self, credential: Credential) -> None:
        """Log and count `CredentialsLost`; a lost one was told of with its reason, by `needs_reauth`."""
        if credential.status != CredentialStatus.REFRESH_FAILED:
            message, names = "credential rejected", {"credential_id": credential.id, "status": str(credential.status)}
            self._tell(message, "CredentialsLost", credential.integration_id, **names)

    def not_renewed(self, integration_id: str, credential_id: str, reason: str) -> None:
        """Log and count `CredentialsLost`."""
        message = "credential not renewed"
        self._tell(message, "CredentialsLost", integration_id, credential_id=credential_id, reason=reason)

    def expiring(self, integration_id: str, credential_id: str, days: int) -> None:
        """Log and count `CredentialsExpiring`."""
        self._tell("credential expiring", "CredentialsExpiring", integration_id, credential_id=credential_id, days=days)

    def failed(self, integration_id: str, code: str) -> None:
        """Log and count `CareFailures`."""
        self._tell("token check failed", "CareFailures", integration_id, code=code)

    @staticmethod
    def _tell(message: str, metric: str, integration_id: str, **more: str | int) -> None:
        _LOG.warning(message, extra={"integration_id": integration_id, **more})
        count(metric, function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "unknown"))
