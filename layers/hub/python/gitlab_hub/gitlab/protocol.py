"""GitLab's REST protocol without any I/O: requests and answers are values, and these functions say what they mean."""

from gitlab_hub.gitlab.bodies import BodyReader, decode
from gitlab_hub.gitlab.links import following, next_cursor, with_smaller_pages
from gitlab_hub.gitlab.messages import Answer, Query, Request, Scalar, folded, group_path, merged, query_of, segment
from gitlab_hub.gitlab.paging import goes_on
from gitlab_hub.gitlab.rates import RateFacts
from gitlab_hub.gitlab.refusals import raise_for

__all__ = [
    "Answer",
    "BodyReader",
    "Query",
    "RateFacts",
    "Request",
    "Scalar",
    "decode",
    "folded",
    "following",
    "goes_on",
    "group_path",
    "merged",
    "next_cursor",
    "query_of",
    "raise_for",
    "segment",
    "with_smaller_pages",
]
