"""What TensorBoard's event files hold, as a table."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

COLUMNS = ("run", "tag", "step", "value")


def read_event_files(log_dir: str | Path) -> pd.DataFrame:
    """The scalars in all event files below `log_dir`.

    Returns:
        A table with the columns run (the folder, such as "train"), tag (such as "epoch_loss"),
        step (from 0) and value, one row for each scalar written; empty where there are no event
        files. Format: tensorflow/core/util/event.proto, read by TensorBoard's own reader.
    """
    from tensorboard.backend.event_processing import event_accumulator
    from tensorboard.util import tensor_util

    root, rows = Path(log_dir), []
    folders = sorted({file.parent for file in root.rglob("events.out.tfevents.*")})
    for folder in folders:
        events = event_accumulator.EventAccumulator(
            str(folder), size_guidance={event_accumulator.TENSORS: 0}
        )
        events.Reload()
        for tag in sorted(events.Tags()["tensors"]):
            for event in events.Tensors(tag):
                value = tensor_util.make_ndarray(event.tensor_proto)
                if value.ndim == 0 and value.dtype.kind in "fiu":
                    rows.append(
                        (folder.relative_to(root).as_posix(), tag, event.step, float(value))
                    )
    return pd.DataFrame(rows, columns=list(COLUMNS))
