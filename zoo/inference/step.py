"""Names the step of a predictor whose code raised an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zoo.contract.predictor import StepError
from zoo.errors import ContractError, ImageError
from zoo.inference.out_of_memory import is_out_of_memory


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turns what its own code raises into a StepError with the name of the step.

    Errors that name their reason (ContractError, ImageError) pass, and so does running out of
    memory. A plugin's `sys.exit` is an error too: it would be taken for the end of all work.
    """
    try:
        yield
    except (ContractError, ImageError, StepError):
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        if is_out_of_memory(error):
            raise
        raise StepError(name, error) from error
