"""GitLab as an OAuth provider: authorization codes with PKCE, refresh, revocation."""
