"""Having every function loaded before the stack says that it is ready, so that nobody's first call waits for one.

Each is asked, as it would be in earnest, about something that does not exist: it reads a table, finds nothing, and
stays loaded.
"""

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from local.problems import Problem
from local.stack import Stack

AT_ONCE = 2
_PATIENCE = 180.0
"""Seconds for all of them. A busy machine needs more than one minute for what an idle one does in ten seconds."""
_PAUSE = 0.2

FIRST = ("GET", "/v1/tokens")
"""Alone and first: it loads the authorizer, which stands before all others."""
CALLS: Sequence[tuple[str, str]] = (
    ("GET", "/v1/integrations/int_warm_up"),
    ("POST", "/v1/webhooks/gitlab/hook_warm_up"),
    ("GET", "/v1/builds/bld_warm_up"),
    ("GET", "/v1/integrations/int_warm_up/accounts"),
    ("GET", "/v1/integrations/int_warm_up/pipelines"),
    ("GET", "/v1/integrations/int_warm_up/plans"),
    ("GET", "/v1/integrations/gitlab/callback"),
    ("GET", "/console/sign-in"),
)
_RUN = {"integration_id": "int_warm_up", "sync_id": "warm_up"}
MESSAGES: Mapping[str, Mapping[str, str]] = {
    "DeliveriesFunction": {"delivery_id": "dlv_warm_up"},
    "BuilderFunction": {"report": "bld_warm_up"},
    "ProvisionerFunction": {},
    "ExporterFunction": {},
    "SyncAccountsFunction": {**_RUN, "kind": "access"},
    "SyncPipelinesFunction": {**_RUN, "kind": "pipelines"},
}


def warm_up(port: int, owner_token: str, stack: Stack, *, log: Path, patience: float = _PATIENCE) -> None:
    """Call every function once and wait for its answer. Raises Problem where one does not answer in time.

    `log`: the emulator's, for whoever wants to know why; `patience` in seconds.
    """
    until = time.monotonic() + patience
    try:
        _load(port, owner_token, stack, until)
    except NotLoaded as error:
        raise Problem(
            f"the deployed functions do not answer: {error}. A busy machine is the usual cause: end what else keeps it "
            f"busy and try again; what failed is told in {log}"
        ) from error


class NotLoaded(Exception):
    """A function did not answer until the patience was over, and what it last said."""


def _load(port: int, owner_token: str, stack: Stack, until: float) -> None:
    _call(port, owner_token, *FIRST, until=until)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        for done in [pool.submit(task, until=until) for task in _tasks(port, owner_token, stack)]:
            done.result()
    finally:
        # Whoever presses Ctrl-C meanwhile does not wait for functions that are still loading.
        pool.shutdown(wait=False, cancel_futures=True)


def _tasks(port: int, owner_token: str, stack: Stack) -> Iterator[Callable[..., None]]:
    yield from (partial(_call, port, owner_token, method, path) for method, path in CALLS)
    client = stack.client("lambda")
    yield from (partial(_invoke, client, stack.resources[name], message) for name, message in MESSAGES.items())


def _call(port: int, owner_token: str, method: str, path: str, *, until: float) -> None:
    while True:
        said = _said(port, owner_token, method, path, until)
        if said is None:
            return
        # On a busy machine a function may take longer to load than it may run.
        if time.monotonic() > until:
            raise NotLoaded(f"{method} {path} {said}")
        time.sleep(_PAUSE)


def _said(port: int, owner_token: str, method: str, path: str, until: float) -> str | None:
    """Call once; None where the function has answered, else what came instead."""
    left = max(1.0, until - time.monotonic())
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=left)) as connection:
        try:
            connection.request(method, path, headers={"Authorization": f"Bearer {owner_token}"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"got no answer ({str(error) or type(error).__name__})"
    return None if status < HTTPStatus.INTERNAL_SERVER_ERROR else f"says {status}"


def _invoke(client: Any, name: str, message: Mapping[str, str], *, until: float) -> None:
    body = json.dumps({"schema": 1, **message})
    event = {"Records": [{"messageId": "warm-up", "eventSource": "aws:sqs", "attributes": {}, "body": body}]}
    while "FunctionError" in client.invoke(FunctionName=name, Payload=json.dumps(event).encode()):
        if time.monotonic() > until:
            raise NotLoaded(f"the function {name} fails")
