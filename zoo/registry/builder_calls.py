"""Builders at work: code of a plugin that is called once it has loaded, contained and named as it
was while it loaded."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import update_wrapper
from typing import Any

from zoo.errors import ContractError
from zoo.registry.containment import Conduct, Interrupted, said, watched
from zoo.registry.plugins import PluginInfo, PluginWarning, named

_told: set[str] = set()


@contextmanager
def at_work(info: PluginInfo, stage: str) -> Iterator[Conduct]:
    """Watches code of a plugin, and warns once of each side effect.

    Raises:
        ContractError: it wanted to end the process; other exceptions are left as they are.
        OfflineError: it wanted to connect while the network is switched off.
        Interrupted: the user interrupted it; the text names the plugin.
    """
    advice = (
        f"No time limit holds for it. If it never ends, report it to {info.distribution} "
        f"{info.version}."
    )
    conduct = Conduct(named(info), stage, advice=advice)
    try:
        with watched(conduct):
            yield conduct
    except Interrupted:  # of a plugin whose code this one called
        raise
    except KeyboardInterrupt as why:
        raise conduct.interrupted() from why
    except Exception:
        raise
    except BaseException as why:
        raise ContractError(
            f"Code of the {conduct.whose} was run.", f"It {said(why)} {stage}.", report(info)
        ) from why
    finally:
        for remark in conduct.remarks:
            text = f"The {conduct.whose} {remark}"
            if text not in _told:
                _told.add(text)
                warnings.warn(text, PluginWarning, stacklevel=4)


def at_call(info: PluginInfo, stage: str, build: Callable[..., Any]) -> Callable[..., Any]:
    """Wraps a builder to watch each call; its signature stays that of the one registered."""

    def call(*arguments: Any, **options: Any) -> Any:
        with at_work(info, stage):
            return build(*arguments, **options)

    return update_wrapper(call, build)


def report(info: PluginInfo) -> str:
    """Advice for a defect of a plugin."""
    return f"This is a defect of {info.distribution} {info.version}: report it there."
