"""Prints as JSON which tier a process like this one can have."""

import json
from dataclasses import asdict

from nbjudge.sandbox.probe import examine

print(json.dumps(asdict(examine())))
