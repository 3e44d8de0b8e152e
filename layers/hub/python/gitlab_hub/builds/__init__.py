"""From an event to a build in AWS and back: triggers, builds, targets, commit statuses."""
