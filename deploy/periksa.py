"""`python periksa.py`: proves that this Python's Lontar works, in a folder of its own that goes away afterwards.

Makes a village, serves its first page over HTTP, draws a PDF and a spreadsheet, builds a course and installs it. What it runs is
compiled by the way, so that the first real start is as fast as the later ones. Standard library and Lontar.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

_LONTAR = [sys.executable, "-m", "lontar"]
_VILLAGE = ["--hub", "http://127.0.0.1:9", "--village", "00.00.00.0000"]
_PATIENCE = 90
"""Seconds; an old laptop with a slow disk compiles everything first."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LONTAR_STATE"] = str(Path(folder, "keadaan"))
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.dont_write_bytecode = False
        data = str(Path(folder, "desa"))
        _run("node", "init", "--data", data, *_VILLAGE)
        _carry_a_course(Path(folder), data)
        _serve(data)
        if importlib.util.find_spec("fpdf") is not None:
            _draw(Path(folder))
        print("Pemeriksaan selesai: Lontar berjalan.")


def _serve(data: str) -> None:
    port = _free_port()
    command = [*_LONTAR, "node", "serve", "--data", data, "--host", "127.0.0.1", "--port", str(port)]
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen([*command, "--no-sync"], stdout=subprocess.DEVNULL, stderr=said)
        try:
            _wait_for_page(server, f"http://127.0.0.1:{port}/")
        except SystemExit:
            said.seek(0)
            sys.stderr.buffer.write(said.read())
            raise
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _wait_for_page(server: subprocess.Popen[bytes], address: str) -> None:
    end = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            with urllib.request.urlopen(address, timeout=30) as page:  # noqa: S310 - our own server
                if b"Lontar" in page.read():
                    return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("Halaman pertama tidak muncul.")


def _draw(folder: Path) -> None:
    """A page with a letter of our own font, as certificates have it, and a sheet."""
    import fpdf
    import openpyxl  # type: ignore[import-untyped]

    import web

    page = fpdf.FPDF()
    page.add_page()
    fonts = sorted(Path(web.__file__).parent.glob("fonts/*.ttf"))
    if fonts:
        page.add_font("lontar", "", fonts[0])
        page.set_font("lontar", size=12)
        page.cell(text="Lontar é")
    page.image(Path(web.__file__).parent / "static" / "favicon.png")
    if not bytes(page.output()).startswith(b"%PDF"):
        raise SystemExit("PDF tidak dapat dibuat.")
    sheet = openpyxl.Workbook()
    sheet.save(folder / "rekap.xlsx")


def _carry_a_course(folder: Path, data: str) -> None:
    """Build one of the courses that come along, and install it: signed, checked and opened."""
    import content_packs

    key, pack = folder / "penerbit.key", folder / "kursus.lontar"
    course = Path(content_packs.__file__).parent / "demo" / "belajar-dengan-lontar"
    made = _run("pack", "keygen", str(key))
    _run("pack", "build", str(course), "--key", str(key), "-o", str(pack))
    _run("pack", "install", str(pack), "--data", data, "--trust", made.split()[-1])


def _run(*command: str) -> str:
    done = subprocess.run([*_LONTAR, *command], check=True, stdout=subprocess.PIPE, encoding="utf-8")
    return done.stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
