"""Groups that an integration does not cover, and that give access to what it covers."""
