from .execution import (
    Execution as Execution,
    NotStored as NotStored,
    Replay as Replay,
    Run as Run,
    read_whole as read_whole,
)
from .live import LiveRun as LiveRun
from .provisioner import KernelOrder as KernelOrder
from .store import (
    Executions as Executions,
    Quota as Quota,
    Store as Store,
    entry_path as entry_path,
)
