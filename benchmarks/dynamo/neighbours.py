"""What a function asks of AWS beside DynamoDB, answered as shortly as its client will take it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from benchmarks.dynamo.expressions import Unsupported

MASTER_KEY = json.dumps({"key": "k" * 64})
_secrets: dict[tuple[str, str], str] = {}
"""Versions of secrets that were written; any other one is the master key."""


def answered(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Do one operation of a queue, a bus or one secret. Raises Unsupported."""
    match operation:
        case "SendMessage":
            digest = hashlib.md5(request["MessageBody"].encode(), usedforsecurity=False).hexdigest()
            return {"MessageId": "1", "MD5OfMessageBody": digest, "SequenceNumber": "1"}
        case "CreateSecret" | "PutSecretValue":
            version = request["ClientRequestToken"]
            _secrets[request.get("Name") or request["SecretId"], version] = request["SecretString"]
            return {"VersionId": version}
        case "GetSecretValue":
            kept = _secrets.get((request["SecretId"], request.get("VersionId", "")), MASTER_KEY)
            return {"Name": request["SecretId"], "SecretString": kept}
        case "PutEvents":
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in request["Entries"]]}
        case "GetQueueAttributes":
            return {"Attributes": {"ApproximateNumberOfMessages": "0"}}
    raise Unsupported(operation)
