"""Every captured answer is used by a test."""

import re
from pathlib import Path

from tests.integrations.spend.contract import SAMPLES

HERE = Path(__file__).parent


def test_every_sample_of_a_provider_is_used_by_a_test():
    tests = "\n".join(path.read_text("utf-8") for path in HERE.glob("*.py"))
    unused = []
    for path in sorted(SAMPLES.rglob("*.*json")):
        stem = re.sub(r"\.(json|ndjson)$", "", path.name)
        parts = re.split(r"page\d|documented|40[34]$", stem)
        spelled = r"(\w+|\{\w*\}|\w*\{\w*\})".join(map(re.escape, parts))
        if not re.search(spelled, tests):
            unused.append(f"{path.parent.name}/{path.name}")
    assert unused == []
