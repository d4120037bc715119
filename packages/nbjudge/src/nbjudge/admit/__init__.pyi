from .reading import read_notebook as read_notebook
from .staging import stage_files as stage_files, stage_submission as stage_submission
from .submission_times import read_submission_times as read_submission_times
from .submissions import (
    Submission as Submission,
    check_files as check_files,
    find_submissions as find_submissions,
    name_problem as name_problem,
    read_timestamp as read_timestamp,
    submission_digest as submission_digest,
    submitted_files as submitted_files,
)
