"""The bodies of webhooks, built from the company's state with the field names that GitLab sends."""
