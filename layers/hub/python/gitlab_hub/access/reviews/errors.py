"""What access reviews refuse."""

from gitlab_hub.errors import HubError


class ReviewClosed(HubError):
    """The review is closed: its decisions stay as they are."""

    code = "review_closed"


class SelfReview(HubError):
    """Nobody decides on their own access; `details["item_ids"]` says which items are the caller's own."""

    code = "self_review"
