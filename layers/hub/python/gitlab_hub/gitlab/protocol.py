"""GitLab's REST protocol without any I/O: requests and answers are values, and these functions say what they mean."""

from gitlab_hub.gitlab.bodies import BodyReader, decode
from gitlab_hub.gitlab.error_mapping import raise_for
from gitlab_hub.gitlab.link_header import following, next_cursor, with_smaller_pages
from gitlab_hub.gitlab.messages import (
    Query,
    RawResponse,
    Request,
    Scalar,
    group_path,
    merge_headers,
    merged,
    query_of,
    segment,
)
from gitlab_hub.gitlab.paging import goes_on
from gitlab_hub.gitlab.rates import RateFacts

__all__ = [
    "BodyReader",
    "Query",
    "RateFacts",
    "RawResponse",
    "Request",
    "Scalar",
    "decode",
    "following",
    "goes_on",
    "group_path",
    "merge_headers",
    "merged",
    "next_cursor",
    "query_of",
    "raise_for",
    "segment",
    "with_smaller_pages",
]
