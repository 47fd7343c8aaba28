"""Whether an error says that memory ran out, however the library at hand spells it."""

from __future__ import annotations

import torch

_SIGNS = ("not enough memory", "can't allocate memory", "out of memory", "cannot allocate memory")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, of the machine or of an accelerator: nobody's code is at fault.

    torch raises a plain RuntimeError where its CPU allocator gets none.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error).lower() for sign in _SIGNS)
