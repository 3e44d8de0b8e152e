"""A stand-in GitLab: a made-up company behind GitLab's REST v4 semantics."""
