"""The door for webhooks: verified before anything else."""
