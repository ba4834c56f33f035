"""The bundle: installed for real, without a network, into a home of its own; and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from deploy import bundle, pasang, slim

HERE = sysconfig.get_platform().replace("-", "_").replace(".", "_")


def facts_in(folder: Path, pythons: str, platforms: str) -> Path:
    facts = {"version": "9", "pythons": pythons, "platforms": platforms}
    (folder / "paket.json").write_text(json.dumps(facts), encoding="utf-8")
    return folder


def wheel(folder: Path, name: str, *requires: str) -> None:
    with zipfile.ZipFile(folder / f"{name}-1-py3-none-any.whl", "w") as archive:
        lines = ["Metadata-Version: 2.1", f"Name: {name}", *(f"Requires-Dist: {one}" for one in requires)]
        archive.writestr(f"{name}-1.dist-info/METADATA", "\n".join(lines) + "\n\nA text.\n")


@pytest.mark.parametrize(
    ("pythons", "platforms", "said"),
    [("3.9", HERE, "Paket ini untuk Python 3.9"), (None, "win_arm64", "Paket ini untuk win_arm64")],
)
def test_a_bundle_for_another_laptop_is_refused(
    tmp_path: Path, pythons: str | None, platforms: str, said: str
) -> None:
    mine = "{}.{}".format(*sys.version_info[:2])

    with pytest.raises(pasang.RefusalError, match=said):
        pasang.check_python(facts_in(tmp_path, pythons or mine, platforms))


def test_a_python_that_is_too_old_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))

    with pytest.raises(pasang.RefusalError, match=r"versi 3\.9\. Lontar memerlukan Python 3\.11"):
        pasang.check_python(facts_in(tmp_path, "3.11", HERE))


def test_a_damaged_or_missing_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "pelajaran.whl").write_bytes(b"isi")
    (tmp_path / "SHA256SUMS").write_text("".join(bundle._sums(tmp_path)), encoding="utf-8")
    pasang.check_files(tmp_path)
    (tmp_path / "pelajaran.whl").write_bytes(b"isj")

    with pytest.raises(pasang.RefusalError, match=r"pelajaran\.whl rusak atau hilang"):
        pasang.check_files(tmp_path)


def test_a_full_disk_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 30 * 10**6))

    with pytest.raises(pasang.RefusalError, match="Ruang kosong hanya 30 MB; diperlukan 250 MB"):
        pasang.install(tmp_path / "lontar", "9")

    assert not (tmp_path / "lontar").exists()


def test_what_only_windows_requires_is_missed_for_windows_alone(tmp_path: Path) -> None:
    wheel(
        tmp_path, "alat", 'colorama; platform_system == "Windows"', "hadir", 'lama; python_version < "3.9"'
    )
    wheel(tmp_path, "hadir", 'kelinci; extra == "jarang"')

    assert bundle.lacking(tmp_path, "win_amd64", "311") == {"colorama"}
    assert bundle.lacking(tmp_path, "linux_aarch64", "311") == set()


@pytest.mark.slow
def test_a_bundle_installs_without_network_goes_on_after_a_cut_and_is_small(tmp_path: Path) -> None:
    here = tmp_path / "Flashdisk é 1"
    bundle.fill(here, [bundle.HOST], ["{}{}".format(*sys.version_info[:2])])
    home = tmp_path / "Rumah é"
    home.mkdir()
    command = [sys.executable, str(here / "pasang.py"), "--to", str(home / "program")]
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    if os.geteuid() == 0 and shutil.which("unshare"):
        command = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *command]
    place = home / "program" / f"{bundle.__version__}-{pasang.check_files(here)[:8]}"
    (place / "lib").mkdir(parents=True)
    (place / "lib" / "setengah").write_bytes(b"left of a cut")

    first = subprocess.run(command, capture_output=True, text=True, env=env)
    assert first.returncode == 0, first.stdout + first.stderr
    again = subprocess.run(command, capture_output=True, text=True, env=env)

    assert again.returncode == 0 and "sudah terpasang" in again.stdout
    assert not (place / "lib" / "setengah").exists()
    lontar = subprocess.run(
        [home / ".local/bin/lontar", "--version"], capture_output=True, text=True, env=env
    )
    assert bundle.__version__ in lontar.stdout
    assert slim.size_of(place) <= 60_000_000
    assert str(place) in (home / ".config/systemd/user/lontar-node.service").read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="not a Debian")
def test_a_debian_package_holds_all_it_needs_and_no_settings(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.deb", "--out", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    package = next(tmp_path.glob("lontar-node_*.deb"))
    subprocess.run(["dpkg-deb", "-R", package, tmp_path / "isi"], check=True)

    assert not (tmp_path / "isi/DEBIAN/conffiles").exists()
    for name in ("postinst", "prerm", "postrm"):
        subprocess.run(["sh", "-n", tmp_path / "isi/DEBIAN" / name], check=True)
    assert (
        "/var/lib" not in subprocess.run(["dpkg-deb", "-c", package], capture_output=True, text=True).stdout
    )
    unit = (tmp_path / "isi/usr/lib/systemd/system/lontar-node.service").read_text(encoding="utf-8")
    assert "User=lontar" in unit and "/var/lib/lontar/desa" in unit
    python = tmp_path / "isi/opt/lontar/bin/python"
    said = subprocess.run(
        [python, "-P", "-m", "lontar", "--version"], capture_output=True, text=True, check=True
    )
    assert bundle.__version__ in said.stdout
