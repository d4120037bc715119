from .release import ReleaseReport as ReleaseReport
from .release_run import ReleaseRun as ReleaseRun, run_release as run_release
