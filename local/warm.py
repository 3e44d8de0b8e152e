"""Having the functions of the loop loaded before they are wanted, so that the first push is as fast as the second.

Each is asked, in the background, about something that does not exist: it reads a table, finds nothing, and stays warm.
"""

import json
from typing import Any

from local.stack import Stack

_OWNER = {"token_id": "warm-up", "role": "owner", "integration_ids": "*"}


def warm(stack: Stack) -> None:
    """Start the functions; nobody waits for their answers."""
    client = stack.client("lambda")
    for function, event in QUESTIONS.items():
        payload = json.dumps(event).encode()
        client.invoke(FunctionName=stack.resources[function], InvocationType="Event", Payload=payload)


def _call(method: str, path: str) -> dict[str, Any]:
    context = {"requestId": "warm-up", "http": {"method": method, "path": path}, "authorizer": {"lambda": _OWNER}}
    return {"version": "2.0", "rawPath": path, "headers": {}, "requestContext": context, "body": "{}"}


def _message(**body: str) -> dict[str, Any]:
    return {"Records": [{"messageId": "warm-up", "body": json.dumps({"schema": 1, **body})}]}


QUESTIONS = {
    "WebhooksFunction": _call("POST", "/v1/webhooks/gitlab/hook_warm_up"),
    "DeliveriesFunction": _message(delivery_id="dlv_warm_up"),
    "BuilderFunction": _message(report="bld_warm_up"),
    "BuildsFunction": _call("GET", "/v1/builds/bld_warm_up"),
}
