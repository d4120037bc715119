from .grading import (
    course_workers as course_workers,
    grade as grade,
    grade_stream as grade_stream,
    plan_grading as plan_grading,
    use_cluster as use_cluster,
)
from .lock import course_lock as course_lock
from .outcomes import (
    GradingOutcome as GradingOutcome,
    Running as Running,
    Summary as Summary,
    summarise as summarise,
)
from .planning import Holds as Holds, Planned as Planned, Refused as Refused, ToGrade as ToGrade
from .task import Task as Task, Worked as Worked
from .workers import Workers as Workers, local_workers as local_workers
