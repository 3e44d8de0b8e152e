"""What several lists of access are narrowed by."""

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from gitlab_hub.access.effective.graph import Place
from gitlab_hub.gitlab.fields import MAX_ID
from gitlab_hub.inventory.model import ResourceType
from gitlab_hub.web.errors import unfit

IdFilter = Annotated[int | None, Query(ge=0, le=MAX_ID)]


def resource_of(group_id: int | None, project_id: int | None) -> Place | None:
    """The group or project that is asked for, None for neither. Raises Unprocessable for both."""
    if group_id is not None and project_id is not None:
        raise unfit("query.project_id", "Ask for a group_id or a project_id, not for both.")
    if group_id is not None:
        return Place(ResourceType.GROUP, group_id)
    return None if project_id is None else Place(ResourceType.PROJECT, project_id)
