"""What a token is good for, step by step."""
