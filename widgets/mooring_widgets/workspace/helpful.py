"""Mistyped names and keywords are told with what is near them."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, ParamSpec, TypeVar

from mooring_widgets.errors import did_you_mean, near_names

P = ParamSpec("P")
R = TypeVar("R")


class Helpful:
    """What a person types at: an unknown attribute or keyword raises with names like it.

    `_elsewhere` says of names that are not here where to find what they mean.
    """

    _elsewhere: ClassVar[dict[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, member in [*vars(cls).items()]:
            if inspect.isfunction(member) and (name == "__call__" or not name.startswith("_")):
                setattr(cls, name, checked(member))

    if not TYPE_CHECKING:  # for which an attribute that there is not must stay an error

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that raised AttributeError itself: that is the news
                return object.__getattribute__(self, name)
            what = type(self).__name__
            if name.startswith("_"):  # machines ask for these, and need no sentence
                raise AttributeError(f"{what!r} object has no attribute {name!r}", name=name, obj=self)
            there = [each for each in dir(self) if not each.startswith("_")]
            hint = self._elsewhere.get(name) or did_you_mean(near_names(name, there))
            raise AttributeError(
                f"a {what} has no {name!r}; {hint or f'there are {_listed(there)}'}", name=name, obj=self
            )


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, which refuses a keyword that it does not know with the ones that are near it.

    Raises:
        TypeError: Whenever it is called with such a keyword.
    """
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return function
    known = [
        parameter.name
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        and parameter.name != "self"
    ]
    name = function.__name__
    if name == "__call__":  # of an object that is called like a method
        name = function.__qualname__.split(".")[-2].lower()

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        for keyword in kwargs:
            if keyword not in known:
                there = f"it takes {_listed(known)}" if known else "it takes no arguments by name"
                hint = did_you_mean(near_names(keyword, known)) or there
                raise TypeError(f"{name}() has no argument {keyword!r}; {hint}")
        try:
            return function(*args, **kwargs)
        finally:
            kwargs.clear()  # a traceback that shows variables must not show a token

    return call


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
