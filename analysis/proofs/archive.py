"""Small texts in one zip, written the same way every time and read with suspicion."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from nram_env.files import read_bytes, reading

MOST_BYTES = 2 << 20
"""Size of the zip."""

MOST_UNPACKED, MOST_MEMBERS, LONGEST_NAME = 64 << 20, 20_000, 100
"""Bytes of all that is in it, how many texts these are, and characters of a name."""

_DATE = (2000, 1, 1, 0, 0, 0)


def packed(texts: Mapping[str, str]) -> bytes:
    """A zip of texts, by name; the same texts give the same bytes.

    Raises:
        ValueError: It is larger than `MOST_BYTES`.

    Example:
        >>> unpacked_bytes(packed({"a.txt": "one"}))
        {'a.txt': 'one'}
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in texts.items():
            archive.writestr(zipfile.ZipInfo(name, _DATE), content, zipfile.ZIP_DEFLATED, 9)
    if len(stream.getvalue()) > MOST_BYTES:
        raise ValueError(f"the evidence has {len(stream.getvalue()):,} bytes; it may have {MOST_BYTES:,}")
    return stream.getvalue()


def unpacked(path: str | Path) -> dict[str, str]:
    """The texts of a zip.

    Raises:
        FileError: It is missing, too large, no zip, or holds what no evidence does.
    """
    content = read_bytes(path, MOST_BYTES)
    with reading(path):
        return unpacked_bytes(content)


def unpacked_bytes(content: bytes) -> dict[str, str]:
    """The texts of a zip in memory.

    Raises:
        ValueError: It is no zip, or holds what no evidence does.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return _texts(archive)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, UnicodeDecodeError) as error:
        raise ValueError(f"not a zip of texts: {error}") from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise ValueError(f"not a zip of texts: {error}") from error
        raise


def _texts(archive: zipfile.ZipFile) -> dict[str, str]:
    members = archive.infolist()
    if len(members) > MOST_MEMBERS:
        raise ValueError(f"holds {len(members):,} texts; evidence has at most {MOST_MEMBERS:,}")
    left, texts = MOST_UNPACKED, dict[str, str]()
    for member in members:
        if member.filename in texts or not _is_plain(member):
            raise ValueError(f"holds {member.filename[:LONGEST_NAME]!r}, which is no text of its own")
        with archive.open(member) as stream:
            content = stream.read(left + 1)
        left -= len(content)
        if left < 0:
            raise ValueError(f"unpacks to more than {MOST_UNPACKED:,} bytes")
        texts[member.filename] = content.decode()
    return texts


def _is_plain(member: zipfile.ZipInfo) -> bool:
    """Whether a member is a packed file under a harmless name."""
    parts = member.filename.split("/")
    harmless = all(part not in ("", ".", "..") and part.isprintable() for part in parts)
    known = member.compress_type in (zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED)
    return harmless and known and not member.flag_bits & 1 and len(member.filename) <= LONGEST_NAME
