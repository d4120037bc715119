from .app import KernelRequest as KernelRequest, run_kernel as run_kernel
from .channels import CHANNELS as CHANNELS, REPLY as REPLY, REQUEST as REQUEST
