"""AWS clients, made at first use and shared by all threads; which of their errors mean "try again", and how often."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from gitlab_hub.storage.ports import StorageRefused, StorageUnavailable

T = TypeVar("T")

TRANSIENT_CODES = frozenset(
    {
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "TransactionInProgressException",
    }
)

# A call that hangs must end well before its function does.
_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"total_max_attempts": 4, "mode": "standard"},
    max_pool_connections=32,
)

QUICK = Config(
    connect_timeout=0.5,
    read_timeout=1,
    retries={"total_max_attempts": 2, "mode": "standard"},
    max_pool_connections=8,
)
"""For a function whose caller does not wait: a call ends within four seconds, whatever happens."""

_making = threading.Lock()


class LazyClient:
    """One client of one service: building it costs time, and building two at once is not safe in boto3."""

    def __init__(self, service: str, make: Callable[..., Any] | None = None, *, config: Config = _CONFIG) -> None:
        self._service, self._make, self._config = service, make, config
        self._client: Any = None

    def __call__(self) -> Any:
        """Give the client."""
        if self._client is None:
            with _making:
                if self._client is None:
                    make: Callable[..., Any] = self._make or boto3.client
                    self._client = make(self._service, config=self._config)
        return self._client


def code_of(error: ClientError) -> str:
    """Read the code of an AWS error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def refusal(error: ClientError) -> StorageRefused:
    """What to raise for an answer that stays the same; only its code is told, as AWS's text may quote the request."""
    code = code_of(error)
    said = code if code.isalnum() else "unknown"
    told = (
        f"AWS refuses the hub a table, a secret, its bucket or its bus ({said}); look at its functions' roles and keys."
    )
    return StorageRefused(told)


def is_transient(error: ClientError | BotoCoreError) -> bool:
    """Say whether the same call may work in a moment: no answer, a throttle, or a failure on the other side."""
    if isinstance(error, BotoCoreError):
        return True
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return code_of(error) in TRANSIENT_CODES or status >= HTTPStatus.INTERNAL_SERVER_ERROR


@dataclass(frozen=True, slots=True)
class Backoff:
    """How often to try, and how long to wait in between: bounded, and with full jitter."""

    tries: int = 8
    first: float = 0.05
    longest: float = 2.0
    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = random.random

    def until_done(self, attempt: Callable[[], T | None]) -> T:
        """Call `attempt` until it gives something. Raises StorageUnavailable when all tries were used up."""
        for number in range(self.tries):
            if number:
                self.sleep(self.random() * min(self.longest, self.first * 2**number))
            result = attempt()
            if result is not None:
                return result
        raise StorageUnavailable("The table is too busy; try again in a moment.", retry_after=5)
