"""How environments show themselves: what they have to remember for it, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import gymnasium
from torch import Tensor

from nram_env.envs.episode import EpisodeState
from nram_env.envs.frame import Frame, frame_of
from nram_env.envs.picture import draw_picture
from nram_env.envs.settings import check_choice
from nram_env.envs.shell import EpisodeShell
from nram_env.envs.text import draw_text
from nram_env.envs.window import Window
from nram_env.machine.ambient import one_thread

DRAWN_AS: Mapping[str, Callable[[Frame], Any]] = {"ansi": draw_text, "rgb_array": draw_picture}
"""What each render mode that needs no window makes of one machine."""


class RenderedShell(EpisodeShell):
    """A shell whose episodes can be looked at."""

    metadata: dict[str, Any]
    render_mode: str | None
    _window: Window | None
    _last: tuple[EpisodeState, Tensor] | None

    def _render_as(self, mode: str | None) -> None:
        """Take the render mode.

        Raises:
            ValueError: There is no such mode; the message offers the nearest.
            DependencyNotInstalled: The mode is "human", and pygame is missing.
        """
        if mode is not None:
            check_choice("render_mode", mode, self.metadata["render_modes"])
        self.render_mode, self._last = mode, None
        self._window = Window() if mode == "human" else None

    def _draw(self, mode: str) -> Any:
        """What there is to see now."""
        raise NotImplementedError

    @one_thread()
    def render(self) -> Any:
        """Draw what `render_mode` says; in the mode "human" every reset and step does so by itself.

        Returns:
            Of one machine: text, or (480, 640, 3) uint8. Of B: a tuple with that of every row, or one picture
            for "rgb_array_grid". None in the mode "human"; None, with a warning, without a render mode.

        Raises:
            ResetNeeded: `reset` has not been called.
            Error: The mode is "human", and there is no screen.
        """
        if self.render_mode is None:
            gymnasium.logger.warn(
                "render() draws nothing without a render mode; make the environment with one of "
                f"render_mode={', '.join(self.metadata['render_modes'])}"
            )
            return None
        if self._window is None:
            return self._draw(self.render_mode)
        if not self._window.dismissed:
            fps = self.metadata["render_fps"]
            self._window.show(self._draw(self.render_mode), f"NRAM {self.task.title}", fps)
        return None

    def _frame(self, row: int = 0) -> Frame:
        return frame_of(self.settings.rules, self.task.title, self.state, self._last, row)

    def _enter(self, state: EpisodeState) -> None:
        """Be in a state that no step led to: the next picture shows no READ and WRITE."""
        super()._enter(state)
        self._last = None
        self._show()

    def _stepped(self, before: EpisodeState, logits: Tensor) -> None:
        """A step has led from `before` to the present state."""
        self._last = (before, logits)
        self._show()

    def _show(self) -> None:
        """With a window, show what is."""
        if self._window is not None:
            self.render()

    def _close_window(self) -> None:
        if self._window is not None:
            self._window.close()
