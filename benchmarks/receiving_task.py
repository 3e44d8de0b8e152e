"""What the receiving worker is told, without anything that it needs for it."""

from dataclasses import dataclass

MEMORY, DYNAMODB = "memory", "DynamoDB"
TOKEN, SIGNATURE = "token", "signature"


@dataclass(frozen=True, slots=True)
class Task:
    """Deliveries of one size through a hook of one way of proving them."""

    store: str
    mode: str
    size: int
    """Bytes of the body."""
    calls: int
