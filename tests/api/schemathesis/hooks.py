"""Real directories for what asks for one, and none outside of the test."""

import os

import schemathesis
from hypothesis import strategies

DIRECTORIES = os.environ["BORGOS_TEST_DIRECTORIES"].split(":")

schemathesis.openapi.format("directory", strategies.sampled_from(DIRECTORIES))


@schemathesis.hook
def before_call(context, case, kwargs):
    """The shortest text that can be a path is `/`, and all of this machine is no project."""
    path = case.body.get("path") if isinstance(case.body, dict) else None
    if isinstance(path, str) and path not in DIRECTORIES and os.path.isdir(path.replace("\0", "")):
        case.body["path"] = DIRECTORIES[0]
