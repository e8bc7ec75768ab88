"""Takes out of a Python base image what a container that runs one program has no use for, and compiles what stays.

The Dockerfile runs it in the base, as root: the standard library alone. Knows Debian's packages and Python's own
layout; must not know what will run there.
"""

import compileall
import os
import py_compile
import shutil
import stat
import sys
import sysconfig
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

USER: Final = 65532

PACKAGES: Final = frozenset(
    {
        "adduser",
        "apt",
        "bsdutils",
        "debconf",
        "debian-archive-keyring",
        "dpkg",
        "gpgv",
        "login",
        "login.defs",
        "logsave",
        "mount",
        "passwd",
        "perl-base",
        "python3-pip-whl",
        "python3-setuptools-whl",
        "python3-venv",
        f"python3.{sys.version_info.minor}-venv",
        "sqv",
        "util-linux",
    }
)
"""Debian packages that only people and package managers use, and those with programs that run as another user."""

_UNUSED_MODULES: Final = ("ensurepip", "idlelib", "pydoc_data", "test", "tkinter", "turtledemo")
_UNUSED_TOOLS: Final = ("pip*", "idle*", "pydoc*", "python*-config", "2to3*")
_STATE: Final = ("etc/apt", "var/cache", "var/lib/apt", "var/log", "usr/share/doc", "usr/share/man", "usr/share/locale")


def strip(root: Path) -> None:
    """All of it, below `root` ("/" in the Dockerfile)."""
    remove_packages(root, PACKAGES)
    for path in (*(root / part for part in _STATE), *_python_leftovers()):
        _delete(path)
    (root / "var/cache").mkdir()
    (root / "var/log").mkdir()
    clear_special_bits(root)
    add_user(root)


def remove_packages(root: Path, names: Collection[str]) -> None:
    """Delete the files of these Debian packages, and their entries in dpkg's own list; absent ones are passed over."""
    info = root / "var/lib/dpkg/info"
    owned = {path.stem: path.read_text().splitlines() for path in info.glob("*.list")}
    gone = {stem for stem in owned if stem.partition(":")[0] in names}
    stays = {line for stem in owned.keys() - gone for line in owned[stem]}
    for line in {line for stem in gone for line in owned[stem]} - stays:
        file = root / line.lstrip("/")
        if file.is_symlink() or file.is_file():
            file.unlink()
    for note in info.iterdir():
        if note.stem in gone:
            note.unlink()
    status = root / "var/lib/dpkg/status"
    if status.is_file():
        status.write_text(without(status.read_text(), names))


def without(status: str, names: Collection[str]) -> str:
    """The text of dpkg's status file less these packages: paragraphs with a `Package:` line, between empty lines."""
    paragraphs = (paragraph for paragraph in status.split("\n\n") if paragraph.strip())
    kept = [paragraph for paragraph in paragraphs if _package(paragraph) not in names]
    return "\n\n".join(paragraph.strip("\n") for paragraph in kept) + "\n\n"


def _package(paragraph: str) -> str:
    named = (line for line in paragraph.splitlines() if line.startswith("Package: "))
    return next(named, "").removeprefix("Package: ").strip()


def _python_leftovers() -> Iterator[Path]:
    """What installs Python packages, and modules that need a person or a screen."""
    library, tools = Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("scripts"))
    yield from (library / name for name in _UNUSED_MODULES)
    for site in {Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("platlib"))}:
        yield from (path for name in ("pip", "setuptools", "wheel") for path in site.glob(f"{name}*"))
    yield from (path for pattern in _UNUSED_TOOLS for path in tools.glob(pattern))
    yield Path(sysconfig.get_path("include"))
    yield from library.glob("config-*")  # for linking programs with Python inside
    yield from library.rglob("__pycache__")


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def clear_special_bits(root: Path) -> None:
    """No file under `root` runs as another user or group than its caller."""
    for folder, names, files in os.walk(root):
        if Path(folder) == root:
            names[:] = set(names) - {"proc", "sys", "dev"}
        for name in (*names, *files):
            path = Path(folder, name)
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode) and mode & (stat.S_ISUID | stat.S_ISGID):
                path.chmod(stat.S_IMODE(mode) & ~(stat.S_ISUID | stat.S_ISGID))


def add_user(root: Path) -> None:
    """The user that the container runs as: no shell, a home that it can't write to."""
    for name, line in (
        ("passwd", f"ibpe:x:{USER}:{USER}::/home/ibpe:/usr/sbin/nologin"),
        ("group", f"ibpe:x:{USER}:"),
    ):
        path = root / "etc" / name
        known = path.read_text() if path.is_file() else ""
        if f":x:{USER}:" not in known:
            path.write_text(f"{known.rstrip()}\n{line}\n".lstrip())
    (root / "home/ibpe").mkdir(mode=0o755, parents=True, exist_ok=True)


def compile_library() -> None:
    """The standard library's bytecode, valid whatever the time stamps of the image's files."""
    compileall.compile_dir(
        sysconfig.get_path("stdlib"),
        quiet=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


if __name__ == "__main__":
    strip(Path("/"))
    compile_library()
