"""Files are read by one checked way in, and written whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nram_env.checks import (
    anything,
    boolean,
    choice,
    integer,
    is_plain_text,
    lines,
    list_of,
    mapping,
    nullable,
    number,
    record,
    scalar,
    text,
    tuple_of,
)
from nram_env.files import FileError, parse_json, read_bytes, read_json, read_json_lines, read_text
from nram_env.support import sweep, write_atomically

KILLED = """
import os, sys
from nram_env.support import write_atomically
os.fsync = lambda handle: os.kill(os.getpid(), 9)
write_atomically(sys.argv[1], "half")
"""


def left_by_a_kill_in_the_middle_of_writing(file: Path) -> None:
    """A process dies while it writes the file."""
    assert subprocess.run([sys.executable, "-c", KILLED, str(file)]).returncode == -9


def written(tmp_path: Path, content: str | bytes) -> Path:
    file = tmp_path / "file.json"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "nested more than 32 deep"),
        ('{"a":' * 33 + "1" + "}" * 33, "nested more than 32 deep"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the name 'c' occurs twice"),
        ('{"a": NaN}', "NaN is no finite number"),
        ('{"a": -Infinity}', "-Infinity is no finite number"),
        ('{"a": 1e999}', "1e999 is no finite number"),
        ("9" * 5_000, "an integer of 5000 digits is too long"),
        ("\ufeff{}", "not JSON"),
        (b'{"a": "\xff"}', "can't decode byte 0xff"),
    ],
)
def test_what_is_no_plain_json_is_one_error_with_the_files_name(tmp_path, content, message):
    with pytest.raises(FileError, match=r"file\.json: ") as caught:
        read_json(written(tmp_path, content), anything())
    assert message in str(caught.value)


def test_brackets_within_texts_do_not_nest_and_scanning_takes_time_in_proportion():
    assert parse_json('["' + "[{" * 100 + '\\"[", []]') == ["[{" * 100 + '"[', []]
    for hard in ('\\"' * 500_000, '"' + "\\" * 500_001, '"' * 500_000):
        with pytest.raises(ValueError, match="not JSON"):
            parse_json(hard)


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(FileError, match=f"{place}: not a regular file"):
            read_bytes(place)
    with pytest.raises(FileError, match="Is a directory"):
        read_bytes(tmp_path)
    with pytest.raises(FileError, match=r"there is no file .*nothing"):
        read_bytes(tmp_path / "nothing")
    with pytest.raises(FileError, match=r"'a.x00b': "):
        read_bytes("a\0b")


def test_a_file_beyond_its_size_is_refused_before_it_is_read(tmp_path):
    file = tmp_path / "sparse"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)
    with pytest.raises(FileError, match="larger than 16,777,216 bytes"):
        read_text(file)
    assert read_bytes(written(tmp_path, "1234"), most=4) == b"1234"


def test_a_broken_line_is_named_and_an_unfinished_last_one_does_not_count(tmp_path):
    lines = read_json_lines(written(tmp_path, '{"a": 1}\n{"a": 2}\n{"a"'), record({"a": integer()}))
    assert lines == [{"a": 1}, {"a": 2}]
    with pytest.raises(FileError, match=r"file\.json, line 2: a is 'x'; must be an integer"):
        read_json_lines(written(tmp_path, '{"a": 1}\n{"a": "x"}\n'), record({"a": integer()}))


@pytest.mark.parametrize(
    ("check", "value", "message"),
    [
        (lines(9), "a\nb\tc", r"f is 'a\nb\tc'; must be plain lines"),
        (lines(9), "a\n" * 5, "of at most 9 characters"),
        (integer(1, 63), 64, "f is 64; must be an integer in 1..63"),
        (integer(), 16.0, "f is 16.0; must be an integer"),
        (integer(), True, "f is True"),
        (number(0, 1), 1.5, "f is 1.5; must be a finite number in 0..1"),
        (number(), 10**400, "must be a finite number"),
        (number(), False, "f is False"),
        (number(), 2**60 + 1, "f is 1152921504606846977; must be a finite number"),
        (boolean(), 1, "f is 1; must be true or false"),
        (text(), "a\nb", r"f is 'a\nb'; must be plain text"),
        (text(), "\x1b[31m", r"f is '\x1b[31m'"),
        (text(), "\u202e", r"f is '\u202e'"),
        (text(), "\ud800", r"f is '\ud800'"),
        (text(4), "copies", "of 0 to 4 characters"),
        (text(least=1), "", "f is ''"),
        (choice("a", "b"), "c", "f is 'c'; must be one of a, b"),
        (choice("a", "b"), ["a"], "f is ['a']"),
        (scalar(), [], "f is []"),
        (nullable(integer()), "x", "f is 'x'"),
        (list_of(integer(), 2), [1, 2, 3], "f is a list of 3 entries; must be a list of 0 to 2 entries"),
        (list_of(integer(), 2), {"a": 1}, "f is {'a': 1}; must be a list"),
        (list_of(integer(0, 2)), [1, 9], "f[1] is 9"),
        (tuple_of(integer(), text()), [1], "must be a list of 2 to 2 entries"),
        (tuple_of(integer(), text()), [1, 2], "f[1] is 2; must be plain text"),
        (mapping(integer()), {"a": None}, "f.a is None"),
        (mapping(integer(), 1), {"a": 1, "b": 1}, "f is an object of 2 entries"),
        (mapping(integer()), {"\n": 1}, "the name of an entry of f is"),
        (record({"a": record({"b": integer()})}), {"a": {"b": "x"}}, "f.a.b is 'x'"),
        (record({"a": integer()}), {}, "f.a is missing"),
        (record({"a": integer()}), {"a": 1, "c": 1}, "f.c is unknown; must be one of a"),
        (record({"a": integer()}), [1], "f is [1]; must be an object"),
        (record({}, others=integer()), {"c": "x"}, "f.c is 'x'"),
        (anything(), {"a": [{"b": "\r"}]}, r"f.a[0].b is '\r'"),
    ],
)
def test_a_value_that_breaks_its_rule_is_named_and_shown_with_the_rule(check, value, message):
    with pytest.raises(ValueError, match="must be") as caught:
        check(value, "f")
    assert message in str(caught.value)


def test_values_that_keep_their_rules_come_back():
    check = record(
        {"a": tuple_of(integer(), number(), nullable(text()))},
        {"b": list_of(boolean()), "c": scalar()},
    )
    assert check({"a": [1, 2, None]}, "") == {"a": (1, 2.0, None)}
    assert check({"a": [1, 2.5, "x"], "b": [True]}, "") == {"a": (1, 2.5, "x"), "b": (True,)}
    assert list(check({"c": 1, "a": [1, 2, None]}, "")) == ["c", "a"], "in the order of the file"
    free = {"x": [1, [None, "two words"]], "y": {"z": 1.5}}
    assert anything()(free, "") == free


def test_a_huge_value_is_shown_short():
    with pytest.raises(ValueError, match="must be an integer") as caught:
        integer()(["x" * 10_000] * 10_000, "f")
    assert len(str(caught.value)) < 700


def test_letters_of_other_languages_are_plain_text():
    for word in ("Größe", "копия", "複製", "نسخ", "a b"):
        assert is_plain_text(word)


def test_sweeping_deletes_what_a_kill_left_and_nothing_that_a_user_could_have_written(tmp_path):
    kept = [".notes.tmp", ".nram-notes.tmp", ".nram-0123456789abcdef-0123456789abcdef.tmp", ".nram-.tmp"]
    for name in kept:
        (tmp_path / name).write_text(name)
    left_by_a_kill_in_the_middle_of_writing(tmp_path / "file")
    assert len(list(tmp_path.iterdir())) == len(kept) + 1
    sweep(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(kept)


def test_a_file_is_written_with_the_usual_permissions_and_the_longest_possible_name(tmp_path):
    file = tmp_path / ("n" * 255)
    write_atomically(file, "content")
    (tmp_path / "plain").touch()
    assert file.stat().st_mode == (tmp_path / "plain").stat().st_mode
    assert file.read_text() == "content"
