from .client import (
    LastingServer as LastingServer,
    WarmServer as WarmServer,
    WarmServerError as WarmServerError,
    ask_for_judge as ask_for_judge,
    ask_for_kernel as ask_for_kernel,
    server_address as server_address,
)
from .preload import imported_modules as imported_modules, imports_of as imports_of
