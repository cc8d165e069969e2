"""Real directories for what asks for one, and none outside of the test; webhooks that end on this machine."""

import os
import re

import schemathesis
from hypothesis import strategies

DIRECTORIES = os.environ["BORGOS_TEST_DIRECTORIES"].split(":")

# Nothing listens there.
TARGET = "http://127.0.0.1:9/hook"
ADDRESS = re.compile(r"https?://[^\s/?#@]+([/?][^\s#]*)?")
MAX_ADDRESS_CHARS = 2000

schemathesis.openapi.format("directory", strategies.sampled_from(DIRECTORIES))
schemathesis.openapi.format("uri", strategies.just(TARGET))


@schemathesis.hook
def before_call(context, case, kwargs):
    """The shortest text that can be a path is `/`, and all of this machine is no project; no message goes elsewhere."""
    body = case.body if isinstance(case.body, dict) else {}
    url = body.get("url")
    if isinstance(url, str) and len(url) <= MAX_ADDRESS_CHARS and ADDRESS.fullmatch(url):
        case.body["url"] = TARGET
    path = body.get("path")
    if isinstance(path, str) and path not in DIRECTORIES and os.path.isdir(path.replace("\0", "")):
        case.body["path"] = DIRECTORIES[0]
