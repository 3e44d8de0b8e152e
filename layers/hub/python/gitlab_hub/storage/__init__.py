"""Where state lives: tables, secrets and queues, as small ports with one AWS adapter each."""
