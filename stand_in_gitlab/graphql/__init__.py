"""GitLab's GraphQL API, as far as it tells who is a direct member of what, and which pipelines ran."""
