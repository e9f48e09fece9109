"""The window of `render_mode="human"`, opened with pygame, as Gymnasium's own environments have it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from gymnasium.error import DependencyNotInstalled, Error


class Window:
    """What the screen shows of an environment. pygame has one window a process: environments share it.

    A copy, or what is read back from a pickle, begins without a window.

    Attributes:
        dismissed: The user has closed it; nothing is shown any more.

    Raises:
        DependencyNotInstalled: pygame is missing.
    """

    def __init__(self) -> None:
        _pygame()
        self.dismissed = False
        self._shown_at: float | None = None

    def __reduce__(self) -> tuple[type[Window], tuple[()]]:
        return Window, ()

    def show(self, picture: np.ndarray, title: str, fps: float) -> None:
        """Show a picture for the time that is between two frames, unless the user has closed the window.

        Args:
            picture: (height, width, 3) uint8; shown smaller where it is larger than the screen.
            title: What stands above it.
            fps: Pictures per second at most.

        Raises:
            Error: There is no screen.
        """
        pygame = _pygame()
        try:
            pygame.display.init()
            if pygame.event.get(pygame.QUIT):  # other events are left to the user's own loop
                self.close()
                self.dismissed = True
                return
            _put(pygame, picture, title)
        except pygame.error as error:
            raise Error(
                f'render_mode="human" needs a screen, and pygame has none: {error}; "rgb_array" needs none'
            ) from error
        self._wait(1 / fps)

    def _wait(self, interval: float) -> None:
        if self._shown_at is not None:
            time.sleep(max(0.0, self._shown_at + interval - time.monotonic()))
        self._shown_at = time.monotonic()

    def close(self) -> None:
        """Close it, if it is open. It opens again at the next picture."""
        if self._shown_at is not None:
            _pygame().display.quit()
        self._shown_at, self.dismissed = None, False


def _put(pygame: Any, picture: np.ndarray, title: str) -> None:
    """Open the window if there is none of that size, and fill it."""
    surface = pygame.surfarray.make_surface(picture.swapaxes(0, 1))
    screen = pygame.display.get_desktop_sizes()[0]
    shrink = min(1.0, *(most / length for most, length in zip(screen, surface.get_size(), strict=True)))
    size = tuple(int(length * shrink) for length in surface.get_size())
    window = pygame.display.get_surface()
    if window is None or window.get_size() != size:
        window = pygame.display.set_mode(size)
    pygame.display.set_caption(title)
    window.blit(pygame.transform.smoothscale(surface, size), (0, 0))
    pygame.display.flip()


def _pygame() -> Any:
    try:
        import pygame
    except ImportError as error:
        raise DependencyNotInstalled(
            "render_mode=\"human\" needs pygame, which is not installed: pip install 'nram[human]'"
        ) from error
    return pygame
