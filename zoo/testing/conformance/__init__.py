"""The checks that every detector has to pass, and their runner. The module itself can be called, as
the decorator `@conformance("name")`. Importing it imports no torch."""

from importlib import import_module

from zoo.callable_module import make_callable


def _decorate(*arguments: object, **options: object) -> object:
    """Calls the decorator, whose module imports torch."""
    decorator = import_module("zoo.testing.conformance.decorator")
    return decorator.conformance(*arguments, **options)


make_callable(__name__, _decorate)
