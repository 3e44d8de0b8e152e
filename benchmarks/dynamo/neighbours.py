"""What a function asks of AWS beside DynamoDB, answered as shortly as its client will take it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from benchmarks.dynamo.expressions import Unsupported

MASTER_KEY = "k" * 64


def answered(operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """Do one operation of a queue, a bus or one secret. Raises Unsupported."""
    match operation:
        case "SendMessage":
            digest = hashlib.md5(request["MessageBody"].encode(), usedforsecurity=False).hexdigest()
            return {"MessageId": "1", "MD5OfMessageBody": digest, "SequenceNumber": "1"}
        case "GetSecretValue":
            return {"Name": request["SecretId"], "SecretString": json.dumps({"key": MASTER_KEY})}
        case "PutEvents":
            return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in request["Entries"]]}
        case "GetQueueAttributes":
            return {"Attributes": {"ApproximateNumberOfMessages": "0"}}
    raise Unsupported(operation)
