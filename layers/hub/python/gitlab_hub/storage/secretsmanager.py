"""The secrets port over Secrets Manager."""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.aws import LazyClient, code_of, is_transient, refusal
from gitlab_hub.storage.ports import SecretExists, SecretMissing, StorageRefused, StorageUnavailable

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")


class SecretsManager:
    """The secrets whose names begin with `prefix`. The client is made at first use; any thread may use it."""

    def __init__(self, prefix: str = "", client: "Callable[[], SecretsManagerClient] | None" = None) -> None:
        self._prefix = prefix
        self._client: Callable[[], SecretsManagerClient] = client or LazyClient("secretsmanager")

    def create(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Create a secret with its first version."""
        text, secret = _spelled(value), self._prefix + name
        try:
            made = _call(
                lambda: self._client().create_secret(Name=secret, SecretString=text, ClientRequestToken=version)
            )
        except SecretExists:
            # The first answer may have been lost: the value tells whether the secret is the one we made.
            if not self._holds(name, text, version):
                raise
        except SecretMissing:
            raise StorageUnavailable("A secret of this name is just being removed; try again.", retry_after=5) from None
        else:
            if made["VersionId"] == version:
                return
        # Where the version was not taken along (the local emulator does so), it is added; on AWS this has no effect.
        self.write(name, value, version=version)

    def write(self, name: str, value: Mapping[str, Any], *, version: str) -> None:
        """Add a version, which becomes the current one."""
        text, secret = _spelled(value), self._prefix + name
        _call(lambda: self._client().put_secret_value(SecretId=secret, SecretString=text, ClientRequestToken=version))

    def read(self, name: str, *, version: str | None = None) -> dict[str, Any]:
        """Read one version. Raises StorageRefused where somebody has overwritten it with what is no JSON object."""
        which: Any = {"VersionStage": "AWSCURRENT"} if version is None else {"VersionId": version}
        secret = self._prefix + name
        answer = _call(lambda: self._client().get_secret_value(SecretId=secret, **which))
        return _object(answer.get("SecretString"))

    def delete(self, name: str) -> None:
        """Remove a secret without the waiting time: what a caller disconnects must not lie around."""
        secret = self._prefix + name
        try:
            _call(lambda: self._client().delete_secret(SecretId=secret, ForceDeleteWithoutRecovery=True))
        except SecretMissing:
            return

    def _holds(self, name: str, text: str, version: str) -> bool:
        for which in (version, None):
            try:
                return _spelled(self.read(name, version=which)) == text
            except SecretMissing:
                continue
        return False


def _spelled(value: Mapping[str, Any]) -> str:
    return json.dumps(dict(value), allow_nan=False, separators=(",", ":"), sort_keys=True)


def _object(text: str | None) -> dict[str, Any]:
    # A binary secret has no text at all: `GetSecretValue` has `SecretBinary` in its answer instead (API reference).
    try:
        value = json.loads(text or "")
    except ValueError:  # Its own text quotes the secret.
        value = None
    if not isinstance(value, dict):
        raise StorageRefused("A secret of the hub's holds no JSON object: restore its version before.")
    return value


def _call(send: Callable[[], T]) -> T:
    """Send one request and sort its failure; no text of AWS's is passed on, as it may quote the request."""
    try:
        return send()
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, BotoCoreError) or is_transient(error):
            raise StorageUnavailable("The secret store cannot be reached; try again.", retry_after=5) from None
        code = code_of(error)
        if code == "ResourceNotFoundException" or (code == "InvalidRequestException" and "delet" in str(error)):
            # A deleted secret is removed in the background; until then AWS says that it is marked for deletion.
            raise SecretMissing from None
        if code == "ResourceExistsException":
            raise SecretExists from None
        raise refusal(error) from None
