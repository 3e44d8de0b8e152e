"""What the note of a project says where not all of its pipelines are shown."""

HIDDEN = "GitLab lists pipelines here and answers 404 for each of them: the token may not see them."
NO_BRIDGES = (
    "GitLab does not show the trigger jobs (bridges) of pipelines here, so what they have started is missing. Give the "
    'token\'s user Reporter (a fine-grained token Pipeline: Read), then POST …/sync {"full": true}.'
)

NOT_WALKED = (
    "GitLab's list of pipelines could not be read to its end, so which of them are gone is not known. It is "
    "tried again in some days."
)
