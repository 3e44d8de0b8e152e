"""The receiver as a function of its own: the whole API's machinery would only make its cold start longer."""

import re
from collections.abc import Mapping
from typing import Any

from gitlab_hub.web.answers import Answer, error_answer
from gitlab_hub.web.call import Call
from gitlab_hub.web.errors import MethodNotAllowed, NoSuchPath
from gitlab_hub.webhooks.receiver import PATH, Receiver

_PATH = re.compile(rf"{re.escape(PATH)}(?:/[^/]{{1,200}})?")


class Front:
    """Hands calls to the receiver; knows its two paths and nothing else."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def resolve(self, event: Mapping[str, Any], _context: Any) -> dict[str, Any]:
        """Answer one request."""
        call = Call.of(event)
        return self._answer(call).to_gateway(call.request_id)

    def _answer(self, call: Call) -> Answer:
        if not _PATH.fullmatch(call.path):
            return error_answer(NoSuchPath("There is no such path."), call.request_id)
        if call.method != "POST":
            return error_answer(MethodNotAllowed("Use POST here.", details={"allowed": ["POST"]}), call.request_id)
        return self._receiver.answer(call)
