"""Finding plugins: entry points of the group `detzoo`, one at a time; a broken one is quarantined,
with its reason."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING, Literal

import pluggy

from zoo import environment
from zoo.errors import PluginError, ZooError
from zoo.printable import printable
from zoo.registry import hookspecs
from zoo.registry.plugin_calls import contain, plugin_title
from zoo.registry.plugin_messages import Conduct, describe_exception
from zoo.registry.registrations import KINDS, Contribution
from zoo.registry.registry_file import CORE, USER, RegistryFile
from zoo.registry.schema import NAME_PATTERN
from zoo.suggest import close_matches, did_you_mean

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from zoo.registry.distributions import Declared

GROUP = "detzoo"
OWN_DISTRIBUTION = "detzoo"
SLOW = 0.5  # seconds that importing and registering may take before a warning says so
NOTHING = (
    "brings nothing: its module has no function register_… marked with @zoo.hookimpl, or none "
    "registers anything."
)
LONGEST = 100  # characters of a name that a message repeats
ENTRY_POINTS = "entry_points.txt"

# Between this file and a plugin.
_OTHERS = re.compile(r"[/\\](zoo[/\\]registry|importlib|pluggy)[/\\]")


@dataclass(frozen=True)
class PluginInfo:
    """One installed plugin and how it fared.

    entry:       the entry point's value, a module.
    reason:      why it is quarantined, in a sentence; empty for the others.
    contributes: how many things of each sort it registered: cards, architectures, backbones, necks,
        heads, datasets, engines, trackers.
    seconds:     what its import and hooks took.
    imports_torch: its import pulled torch in, which makes every listing slow.
    remarks:     what is odd about it though it works, each a sentence without its subject.
    """

    name: str
    distribution: str
    version: str
    entry: str
    status: Literal["loaded", "quarantined", "switched off"]
    reason: str = ""
    contributes: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    imports_torch: bool = False
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plugin:
    """A plugin found, with what it handed over; nothing unless it is loaded."""

    info: PluginInfo
    contribution: Contribution


def selected_names() -> set[str] | None:
    """The plugins that ZOO_PLUGINS names, or None where it is not set and all are wanted."""
    setting = environment.plugins()
    return (
        None if setting is None else {name.strip() for name in setting.split(",") if name.strip()}
    )


def find_plugins(core: RegistryFile) -> list[Plugin]:
    """Every installed plugin, by name; the bundled ones win where two have one name. `core` is the
    core's own registry file.

    Distributions whose entry points can't be read come last, each as a quarantined plugin that is
    called as they are.
    """
    selection = selected_names()
    plugins: list[Plugin] = []
    for info, entry in _installed_entries():
        if (
            info.status == "quarantined"
            or entry is None
            or (selection is not None and info.name not in selection)
        ):
            plugins.append(Plugin(info, _nothing(info)))
        else:
            plugins.append(_load(entry, info, core))
    return plugins


def installed_plugins() -> list[PluginInfo]:
    """Every installed plugin as far as that is known without importing it: quarantined, or else
    switched off."""
    return [info for info, _ in _installed_entries()]


def _installed_entries() -> list[tuple[PluginInfo, EntryPoint | None]]:
    from zoo.registry.distributions import declarations  # deferred: `import zoo` does without it

    selection = selected_names()
    first: dict[str, PluginInfo] = {}
    pairs: list[tuple[PluginInfo, EntryPoint | None]] = []
    everything = declarations(GROUP)
    for entry in sorted((entry for entry in everything if entry.entry), key=_order):
        info = _info(entry)
        before = first.setdefault(info.name, info)
        if before is not info:
            info = _quarantine(info, _namesake(before))
        elif info.name in (CORE, USER) or not re.fullmatch(NAME_PATTERN, info.name):
            info = _quarantine(info, f"'{info.name}' can't be a plugin's name.")
        elif entry.fault and (selection is None or info.name in selection):
            info = _quarantine(info, entry.fault)
        pairs.append((info, entry.entry))
    if (
        selection is None or not selection <= first.keys()
    ):  # else what can't be read is nothing that is wanted
        pairs += [
            (_quarantine(_info(entry), entry.fault), None)
            for entry in everything
            if not entry.entry
        ]
    return pairs


def slowness(info: PluginInfo) -> str:
    """That every listing waits for the plugin, or nothing; the bundled ones are as slow as the
    machine is."""
    if info.status != "loaded" or info.distribution == OWN_DISTRIBUTION:
        return ""
    if info.imports_torch:
        return "importing it imports torch, which makes every listing slow."
    return (
        f"importing it took {info.seconds:.1f} s, which every listing waits for."
        if info.seconds > SLOW
        else ""
    )


def complaints(plugins: Iterable[Plugin]) -> Iterator[str]:
    """Warnings for the user: quarantined plugins, odd ones, and names in ZOO_PLUGINS that
    nothing has."""
    infos = [plugin.info for plugin in plugins]
    for info in infos:
        if info.status == "quarantined":
            yield f"Skipped {plugin_title(info)} ({info.entry}): {info.reason}"
        yield from (f"The {plugin_title(info)} {remark}" for remark in info.remarks)
    for name in sorted((selected_names() or set()) - {info.name for info in infos}):
        alike = close_matches(name, (info.name for info in infos))
        hint = (
            f"did you mean '{alike[0]}'?"
            if alike
            else f"installed are {', '.join(info.name for info in infos) or 'none'}."
        )
        yield f"{environment.PLUGINS} names '{name}', and no installed plugin has that name; {hint}"


def _order(declared: Declared) -> tuple[str, bool, str, str]:
    name = declared.entry.name if declared.entry else ""
    return (
        name,
        declared.owner.name != OWN_DISTRIBUTION,
        declared.owner.name,
        declared.owner.version,
    )


def _info(declared: Declared) -> PluginInfo:
    """Who it is; a distribution that does not say which plugins it has is taken for one that is
    called as it is."""
    owner = declared.owner
    name, value = owner.name.removeprefix(f"{OWN_DISTRIBUTION}-"), ENTRY_POINTS
    if declared.entry:
        name, value = (
            printable(declared.entry.name, limit=LONGEST),
            printable(declared.entry.value, limit=LONGEST),
        )
    remarks = (declared.remark,) if declared.remark else ()
    return PluginInfo(name, owner.name, owner.version, value, "switched off", remarks=remarks)


def _nothing(info: PluginInfo) -> Contribution:
    return Contribution(info.name, Path(), closed=True)


def _quarantine(info: PluginInfo, reason: str) -> PluginInfo:
    return replace(info, status="quarantined", reason=reason)


def _namesake(first: PluginInfo) -> str:
    return (
        f"{first.distribution} {first.version} has a plugin of the same name ({first.entry}). "
        f"Uninstall one of the two."
    )


def _load(entry: EntryPoint, info: PluginInfo, core: RegistryFile) -> Plugin:
    """Imports the plugin and calls its hooks; whatever goes wrong in there ends in here, but for an
    interrupt, which names it."""
    begin = perf_counter()
    torch_before = "torch" in sys.modules
    contribution = Contribution(info.name, Path(info.entry), core)
    conduct = Conduct(plugin_title(info), "at import")
    with contain(conduct):
        reason = _collect_contribution(entry, contribution, conduct)
        conduct.stage = "while it loads"
    contribution.closed = True
    info = replace(info, seconds=perf_counter() - begin, remarks=(*info.remarks, *conduct.remarks))
    if reason:
        return Plugin(_quarantine(info, reason), _nothing(info))
    imports_torch, contributes = not torch_before and "torch" in sys.modules, contribution.counts()
    if not contributes:
        info = replace(info, remarks=(*info.remarks, NOTHING))
    return Plugin(
        replace(info, status="loaded", contributes=contributes, imports_torch=imports_torch),
        contribution,
    )


def _collect_contribution(entry: EntryPoint, contribution: Contribution, conduct: Conduct) -> str:
    """Fills the contribution by the plugin's hooks; the reason why that failed, or nothing."""
    step = "its import"
    try:
        module = entry.load()
        step = "its hooks"
        manager = _manager(module, contribution.plugin)
        contribution.origin = Path(getattr(module, "__file__", None) or entry.value)
        for hook, call in _hooks(manager, contribution):
            step, conduct.stage = hook, f"in {hook}"
            call()
    except KeyboardInterrupt as error:
        raise conduct.interrupt_error() from error
    except BaseException as error:
        return _reason(error, step)
    return ""


def _manager(module: ModuleType, name: str) -> pluggy.PluginManager:
    """A manager for this plugin alone: no plugin can wrap, see or break the hooks of another."""
    _check_api(module, name)
    manager = pluggy.PluginManager(GROUP)
    manager.add_hookspecs(hookspecs)
    _check_hooks(manager, module, name)
    manager.register(module, name=name)
    for hook in vars(manager.hook):
        written = inspect.getattr_static(module, hook, None)
        if inspect.isfunction(written) and manager.parse_hookimpl_opts(module, hook) is None:
            raise PluginError(
                f"The plugin '{name}' was asked what it has.",
                f"Its {hook} is not marked as a hook.",
                "Put @zoo.hookimpl above it.",
            )
    return manager


def _check_hooks(manager: pluggy.PluginManager, module: ModuleType, name: str) -> None:
    """Refuses hooks that are none, or that take what no hook hands over. Raises: PluginError."""
    failure, hooks = f"The plugin '{name}' was asked what it has.", list(vars(manager.hook))
    for written in [
        attribute
        for attribute in vars(module)
        if manager.parse_hookimpl_opts(module, attribute) is not None
    ]:
        if written not in hooks:
            fix = did_you_mean(written, hooks, otherwise=f"The hooks are {', '.join(hooks)}.")
            raise PluginError(failure, f"It has the unknown hook '{written}'.", fix)
        wrong = [
            parameter
            for parameter in inspect.signature(getattr(module, written)).parameters
            if parameter != hookspecs.ARGUMENT
        ]
        if wrong:
            fix = f"Write def {written}({hookspecs.ARGUMENT}):"
            raise PluginError(
                failure,
                f"Its {written} takes '{wrong[0]}', and a hook is given '{hookspecs.ARGUMENT}' "
                f"alone.",
                fix,
            )


def _check_api(module: ModuleType, name: str) -> None:
    """Refuses a plugin that says it was written for another major version of the hooks. Raises:
    PluginError."""
    version = getattr(module, "ZOO_API", hookspecs.API)
    if version == hookspecs.API:
        return
    newer = isinstance(version, int) and version > hookspecs.API
    raise PluginError(
        f"The plugin '{name}' was asked what it has.",
        f"It was written for version {version!r} of the plugin API, and this detzoo has version "
        f"{hookspecs.API}.",
        "Upgrade detzoo: pip install --upgrade detzoo"
        if newer
        else "Upgrade the plugin, or install an older detzoo.",
    )


def _hooks(
    manager: pluggy.PluginManager, contribution: Contribution
) -> Iterator[tuple[str, Callable[[], object]]]:
    yield "register_cards", partial(manager.hook.register_cards, register=contribution.add_cards)
    for kind in KINDS:
        hook = f"register_{kind}"
        register: Callable[..., None] = partial(contribution.add_builder, kind)
        if kind == "datasets":
            register = contribution.add_dataset
        yield hook, partial(getattr(manager.hook, hook), register=register)


def _reason(error: BaseException, step: str) -> str:
    if isinstance(error, ZooError):
        return " ".join(str(error).split())
    if isinstance(error, SystemExit):
        return f"{step} {describe_exception(error)}."
    return f"{step} {describe_exception(error).replace('raised', 'failed with', 1)}{_place(error)}"


def _place(error: BaseException) -> str:
    """` (FILE, line N)`: the last line of the plugin's own on the way to the error. Nothing where
    the error says it by itself, or was raised on the way into the plugin."""
    from traceback import extract_tb  # deferred: only broken plugins need it

    if isinstance(error, SyntaxError):
        return ""
    frames = [
        frame
        for frame in extract_tb(error.__traceback__)
        if not frame.filename.startswith("<") and not _OTHERS.search(frame.filename)
    ]
    if not frames:
        return ""
    first = Path(frames[0].filename)
    own = first.parent if first.name == "__init__.py" else first
    *_, frame = (frame for frame in frames if Path(frame.filename).is_relative_to(own))
    return f" ({printable(frame.filename)}, line {frame.lineno})"
