"""What was asked of the server."""

from collections import Counter, deque

KEPT = 2_000


class Stats:
    """Counts requests by kind, answers by status, and how many were under way at once."""

    def __init__(self) -> None:
        self._resets = 0
        self.reset()

    def reset(self) -> None:
        """Start counting afresh."""
        self._resets += 1
        self._requests: Counter[str] = Counter()
        self._statuses: Counter[int] = Counter()
        self._callers: Counter[str] = Counter()
        self._faults: Counter[str] = Counter()
        self._recent: deque[dict[str, object]] = deque(maxlen=KEPT)
        self._open, self._open_max = 0, 0

    def begin(self) -> int:
        """A request came in; the number says `end` which count it belongs to."""
        self._open += 1
        self._open_max = max(self._open_max, self._open)
        return self._resets

    def end(self, began: int, kind: str, caller: str, target: str, status: int, fault: str | None) -> None:
        """A request was answered, with a fault or without; one that came in before the last reset counts no more."""
        if began != self._resets:
            return
        self._open -= 1
        self._requests[kind] += 1
        self._statuses[status] += 1
        self._callers[caller] += 1
        if fault:
            self._faults[fault] += 1
        self._recent.append({"request": target, "status": status, "caller": caller, "fault": fault})

    def report(self) -> dict[str, object]:
        """Everything counted since the last reset."""
        return {
            "requests": sum(self._requests.values()),
            "by_path": dict(self._requests.most_common()),
            "by_status": {str(status): count for status, count in sorted(self._statuses.items())},
            "by_caller": dict(self._callers),
            "by_fault": dict(self._faults),
            "in_flight": self._open,
            "in_flight_max": self._open_max,
        }

    def recent(self, count: int) -> list[dict[str, object]]:
        """The newest requests, oldest first."""
        return list(self._recent)[-count:]
