"""Where the features, the adapters and what Lambda calls are put together."""
