"""Why a delivery built nothing, in words: the codes of its `reasons`, as `docs/builds.md` lists them. Pure."""

from collections.abc import Mapping

WORDS: Mapping[str, str] = {
    "no_trigger": "No trigger waits for such an event in this project.",
    "asks_gitlab": "It builds nothing; the syncs were told to look at what has changed.",
    "outside_scope": "It is about something that this hook may not speak of.",
    "integration_paused": "The integration is paused.",
    "paused": "The integration is paused.",
    "same_event": "GitLab sent the same event twice; the first one counts.",
    "gave_up": "Its worker failed again and again. Replay it once the cause is gone.",
    "trigger_disabled": "The trigger is switched off.",
    "event_not_wanted": "The trigger does not wait for this kind of event.",
    "other_project": "The trigger is for another project.",
    "other_group": "The project is not in the trigger's group.",
    "project_unknown": "Nobody could say where the project lies.",
    "branch_created": "A branch was made, and the trigger does not build on that.",
    "branch_deleted": "A branch was deleted.",
    "no_commit": "There is no commit to build.",
    "no_ref": "There is no name of a branch or tag that can be built.",
    "branch_excluded": "The trigger leaves this branch out.",
    "branch_not_included": "This branch is not among those that the trigger builds.",
    "tag_deleted": "A tag was deleted.",
    "tag_excluded": "The trigger leaves this tag out.",
    "tag_not_included": "This tag is not among those that the trigger builds.",
    "merge_request_unreadable": "GitLab did not tell enough of the merge request.",
    "merge_request_not_open": "The merge request is not open.",
    "action_ignored": "What happened to the merge request changes no code.",
    "target_branch_not_included": "The merge request leads to a branch that the trigger does not build for.",
    "draft": "The merge request is a draft.",
    "label_missing": "The merge request lacks a label that the trigger asks for.",
    "fork_ignored": "It comes from a fork, and the trigger builds none of those.",
    "skip_ci_message": "The commit message says [skip ci].",
    "skip_ci_push_option": "It was pushed with the option ci.skip.",
    "no_path_fits": "Nothing was changed below the paths that the trigger looks at.",
    "already_built": "This commit was built already.",
}


def told(reason: str) -> tuple[str | None, str, str]:
    """Read a reason: the trigger that it is of, if any, its code, and what that means."""
    before, colon, after = reason.partition(": ")
    trigger_id, code = (before, after) if colon else (None, before)
    return trigger_id, code, WORDS.get(code, code.replace("_", " ").capitalize() + ".")
