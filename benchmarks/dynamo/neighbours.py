"""What a function asks of AWS beside DynamoDB, answered as shortly as its client will take it, and counted."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from benchmarks.dynamo.expressions import Unsupported

MASTER_KEY = "k" * 64


class Neighbours:
    """A queue, a bus and one secret."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Do one operation. Raises Unsupported."""
        self.calls[operation] += 1
        match operation:
            case "SendMessage":
                digest = hashlib.md5(request["MessageBody"].encode(), usedforsecurity=False).hexdigest()
                return {"MessageId": str(self.calls[operation]), "MD5OfMessageBody": digest, "SequenceNumber": "1"}
            case "GetSecretValue":
                return {"Name": request["SecretId"], "SecretString": json.dumps({"key": MASTER_KEY})}
            case "PutEvents":
                return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"} for _ in request["Entries"]]}
        raise Unsupported(operation)
