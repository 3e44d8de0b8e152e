"""Parameters that every list takes."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
MAX_CURSOR = 2048

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
PageCursor = Annotated[
    str | None,
    Query(alias="cursor", max_length=MAX_CURSOR),
]
