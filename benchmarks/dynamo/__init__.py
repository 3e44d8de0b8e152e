"""A stand-in DynamoDB in a process of its own: it keeps items, and counts what DynamoDB would charge for."""
