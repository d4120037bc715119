from .marks import (
    Totals as Totals,
    drop_void_extension as drop_void_extension,
    forget_scores as forget_scores,
    no_totals as no_totals,
    read_marks as read_marks,
    read_totals as read_totals,
    remove_submission as remove_submission,
    restore_marks as restore_marks,
)
from .records import (
    Attempt as Attempt,
    Inputs as Inputs,
    KeptMarks as KeptMarks,
    NotebookRun as NotebookRun,
    Record as Record,
    Status as Status,
    add_notebook as add_notebook,
    begin_record as begin_record,
    read_record as read_record,
    record_path as record_path,
    write_record as write_record,
)
from .scores import (
    CellScore as CellScore,
    error_message as error_message,
    score_of as score_of,
    tidy_test_outputs as tidy_test_outputs,
)
