"""torch's tensors, on the processor and without their history."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def pack(value: Any) -> list[Any] | None:
    """The numbers, and whether it has gradients."""
    if type(value) not in (torch.Tensor, torch.nn.Parameter) or value.is_sparse:
        return None
    plain = value.detach().cpu()
    is_half = plain.dtype is torch.bfloat16
    gradient = None if value.grad is None else value.grad.detach().cpu().float().numpy()
    numbers = (plain.float() if is_half else plain).resolve_conj().numpy()
    return [numbers, is_half, bool(value.requires_grad), gradient]


def unpack(parts: Any) -> Any:
    """The tensor."""
    numbers, is_half, has_gradient, gradient = parts
    if not isinstance(numbers, np.ndarray):
        raise ValueError("no tensor")
    made = torch.from_numpy(numbers)
    if is_half is True:
        made = made.to(torch.bfloat16)
    made.requires_grad_(has_gradient is True)
    if isinstance(gradient, np.ndarray) and gradient.shape == numbers.shape:
        made.grad = torch.from_numpy(gradient).to(made.dtype)
    return made
