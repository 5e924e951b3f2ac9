"""Files that are never there in part."""

from __future__ import annotations

from pathlib import Path


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file aside, in the same folder, and then puts it in its place.

    Whoever reads it, or kills this process at any moment, finds what was there before or all of the new.

    Raises:
        OSError: It can't be written; what was there before stays.
    """
    aside = file.with_name(f"{file.name}.part")
    try:
        aside.write_bytes(content)
        aside.replace(file)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
