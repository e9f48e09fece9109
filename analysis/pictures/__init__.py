"""Programs, circuits and runs as pictures.

Curves and heat maps are matplotlib's figures, made of numbers that are measured first; `analysis.export`
gives diagrams of programs. With `%matplotlib inline` a notebook shows a figure that stands last in a cell.

Example:
    >>> from agents import zoo
    >>> from analysis import pictures
    >>> watched = pictures.observe_run(zoo.find_entry("copy").agent, n=2, seed=0)
    >>> [axes.get_title() for axes in pictures.memory_over_time(watched).axes[:2]]
    ['soft: most probable values', 'hard: values, changes shaded']
"""

from typing import TYPE_CHECKING, Any

from nram_env.support import lazy_name

if TYPE_CHECKING:
    from analysis.pictures.observe import errors_by_size, observe_run
    from analysis.pictures.plots import (
        error_by_size,
        learning_curves,
        memory_over_time,
        save_figure,
        selectors_over_time,
    )

_MODULE_OF = {
    "error_by_size": "plots",
    "errors_by_size": "observe",
    "learning_curves": "plots",
    "memory_over_time": "plots",
    "observe_run": "observe",
    "save_figure": "plots",
    "selectors_over_time": "plots",
}


def __getattr__(name: str) -> Any:
    return lazy_name(__name__, _MODULE_OF, name)


def __dir__() -> list[str]:
    return __all__


__all__ = [
    "error_by_size",
    "errors_by_size",
    "learning_curves",
    "memory_over_time",
    "observe_run",
    "save_figure",
    "selectors_over_time",
]
