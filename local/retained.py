"""`python -m local.retained`: a template of what outlives the stack, for CloudFormation to import (docs/deploying.md).

An import takes no transform and no resource that is not imported, so the whole template cannot be used for it.
"""

import json
import sys
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

ROOT = Path(__file__).parents[1]


def kept(template: dict[str, Any]) -> dict[str, Any]:
    """What a template keeps when its stack goes, with the parameters that this needs."""
    resources = {
        name: resource
        for name, resource in template["Resources"].items()
        if str(resource.get("DeletionPolicy", "")).startswith("Retain")
    }
    used = json.dumps(resources)
    parameters = {name: one for name, one in template["Parameters"].items() if json.dumps({"Ref": name}) in used}
    return {"AWSTemplateFormatVersion": "2010-09-09", "Parameters": parameters, "Resources": resources}


if __name__ == "__main__":
    json.dump(kept(yaml_parse((ROOT / "template.yaml").read_text())), sys.stdout, indent=2)
