"""The states that AWS has for builds, in the hub's words; what is not here neither begins nor ends one."""

from gitlab_hub.builds.build import Status

OF_CODEBUILD = {
    "IN_PROGRESS": Status.RUNNING,
    "SUCCEEDED": Status.SUCCESS,
    "FAILED": Status.FAILED,
    "FAULT": Status.FAILED,
    "TIMED_OUT": Status.FAILED,
    "STOPPED": Status.CANCELED,
}
OF_STEP_FUNCTIONS = {
    "RUNNING": Status.RUNNING,
    "SUCCEEDED": Status.SUCCESS,
    "FAILED": Status.FAILED,
    "TIMED_OUT": Status.FAILED,
    "ABORTED": Status.CANCELED,
}
