"""Whether whoever pushed asked for no build, by GitLab's own rules.

lib/gitlab/ci/pipeline/chain/skip.rb: anywhere in the whole message of the commit that would be built, in any case; not
in the messages of other commits of the push. A push that lists no commits (a new branch or a branch that was set back)
has such a commit too: its message is asked of GitLab. The push option counts for the pushed branch or tag, not for
merge requests (https://docs.gitlab.com/topics/git/commit/#push-options).
"""

import re
from collections.abc import Mapping
from typing import Any

_SKIP = re.compile(r"\[(?:ci[ _-]skip|skip[ _-]ci)\]", re.IGNORECASE)


def in_message(message: str | None) -> bool:
    """Whether a commit's message says so."""
    return message is not None and _SKIP.search(message) is not None


def in_options(options: Mapping[str, Any]) -> bool:
    """Whether a push was made with `-o ci.skip`. Any value counts that is not blank, "false" too, as in GitLab."""
    ci = options.get("ci")
    value = ci.get("skip") if isinstance(ci, Mapping) else options.get("ci.skip")
    return bool(value.strip()) if isinstance(value, str) else bool(value)
