"""What the emulator gets wrong of a deployed template, put right through its API."""

from local.stack import Stack


def repair_concurrency(stack: Stack) -> None:
    """Write MaximumConcurrency as a number.

    From a template parameter the emulator keeps it as text, and then its whole SQS poller fails.
    """
    client = stack.client("lambda")
    for mapping in client.list_event_source_mappings()["EventSourceMappings"]:
        concurrency = int(mapping["ScalingConfig"]["MaximumConcurrency"])
        client.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": concurrency})
