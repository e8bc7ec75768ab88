"""A base loses the packages that it is said to lose, and nothing that belongs to another."""

import stat
from pathlib import Path

from image.strip import add_user, clear_special_bits, remove_packages, without

STATUS = "Package: apt\nStatus: install ok installed\n\nPackage: libc6\nArchitecture: amd64\n\nPackage: login\n\n"


def debian(root: Path, **packages: tuple[str, ...]) -> None:
    """Package -> its paths, as dpkg lists them; "libc6_amd64" stands for libc6:amd64."""
    info = root / "var/lib/dpkg/info"
    info.mkdir(parents=True)
    for package, paths in packages.items():
        (info / f"{package.replace('_', ':')}.list").write_text("/.\n/usr\n" + "\n".join(paths) + "\n")
        for path in paths:
            file = root / path.lstrip("/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(package)


def test_files_of_the_package_go_and_others_stay(tmp_path: Path) -> None:
    debian(tmp_path, apt=("/usr/bin/apt", "/usr/shared"), libc6_amd64=("/usr/lib/libc.so", "/usr/shared"))
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    remove_packages(tmp_path, {"apt", "absent"})
    assert not (tmp_path / "usr/bin/apt").exists()
    assert (tmp_path / "usr/lib/libc.so").exists()
    assert (tmp_path / "usr/shared").exists(), "another package has it, too"
    assert {path.name for path in (tmp_path / "var/lib/dpkg/info").iterdir()} == {"libc6:amd64.list"}
    assert "apt" not in (tmp_path / "var/lib/dpkg/status").read_text()


def test_a_package_with_an_architecture_is_known_by_its_name(tmp_path: Path) -> None:
    debian(tmp_path, libc6_amd64=("/usr/lib/libc.so",))
    remove_packages(tmp_path, {"libc6"})
    assert not (tmp_path / "usr/lib/libc.so").exists()


def test_a_package_whose_name_begins_alike_stays(tmp_path: Path) -> None:
    debian(tmp_path, **{"login": ("/usr/bin/login",), "login.defs": ("/etc/login.defs",)})
    remove_packages(tmp_path, {"login"})
    assert (tmp_path / "etc/login.defs").exists()
    assert (tmp_path / "var/lib/dpkg/info/login.defs.list").exists()


def test_a_base_without_dpkg_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "var/lib/dpkg/info").mkdir(parents=True)
    remove_packages(tmp_path, {"apt"})


def test_the_status_keeps_the_other_packages_word_for_word() -> None:
    assert without(STATUS, {"apt", "login"}) == "Package: libc6\nArchitecture: amd64\n\n"


def test_no_file_keeps_a_special_bit(tmp_path: Path) -> None:
    program, folder = tmp_path / "usr/su", tmp_path / "usr/mail"
    folder.mkdir(parents=True)
    program.touch()
    program.chmod(0o4755)
    folder.chmod(0o2775)
    (tmp_path / "usr/link").symlink_to(program)
    clear_special_bits(tmp_path)
    assert stat.S_IMODE(program.stat().st_mode) == 0o755
    assert stat.S_IMODE(folder.stat().st_mode) == 0o775


def test_the_user_is_added_once(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    add_user(tmp_path)
    add_user(tmp_path)
    assert (tmp_path / "etc/passwd").read_text().splitlines() == [
        "root:x:0:0::/root:/bin/sh",
        "ibpe:x:65532:65532::/home/ibpe:/usr/sbin/nologin",
    ]
    assert (tmp_path / "home/ibpe").is_dir()
