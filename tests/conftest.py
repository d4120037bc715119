"""For every test."""

import os
import sys
from pathlib import Path

from hypothesis import settings

# nbgrader runs alembic and jupyter by name, also when this environment is not activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])

# A busy machine is not a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
