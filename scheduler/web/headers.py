"""The headers that every answer carries: pages, errors, files and feeds alike."""

from collections.abc import Iterable

from scheduler.config import Settings


def policy(reached: Iterable[str] = ()) -> str:
    """What a page may load and ask; `reached`: origins beside our own that its script asks."""
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            " ".join(("connect-src 'self'", *reached)),
            "manifest-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


_SHARED = {
    "content-security-policy": policy(),
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
_YEAR = 365 * 24 * 3600


def shared(settings: Settings) -> dict[str, str]:
    """By name, in lower case; over https also the promise to stay there."""
    promise = {"strict-transport-security": f"max-age={_YEAR}"} if settings.secure else {}
    return _SHARED | promise
