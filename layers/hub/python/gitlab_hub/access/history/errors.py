"""What the history of access refuses."""

from gitlab_hub.errors import HubError


class NoHistory(HubError):
    """Nothing is kept of that day; `details["first_day"]` is the first that something is kept of, None before any."""

    code = "no_history"
