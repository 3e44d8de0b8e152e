"""GitLab's protocol: pure functions on requests and answers, and one client that sends them."""
