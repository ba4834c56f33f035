"""`lontar hub keys share|propose|review|approve|activate|status`: new keysets by two people."""

from __future__ import annotations

import getpass
from gettext import gettext as _
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from hub.cli import DATA, _opened
from hub.cli_keys import change_of, changes, keys
from sync.cli_errors import speak_errors

if TYPE_CHECKING:
    from hub.proposals import Proposal
    from hub.root_shares import Share

_FILE: Final = click.Path(path_type=Path, exists=True, dir_okay=False)
_OPEN: Final = _("PERHATIAN: kunci akar masih terbuka, tanpa kata sandi, di %(path)s.")
_FROM: Final = click.option(
    "--share", "share_file", type=_FILE, required=True, help=_("Berkas bagian kunci Anda sendiri.")
)


@keys.command(
    help=_(
        "Membagi kunci akar kepada beberapa orang: dua orang bersama dapat mengganti kunci, seorang diri tidak. "
        "Tiap orang mengetik kata sandinya sendiri."
    )
)
@DATA
@click.option(
    "--to",
    "holders",
    multiple=True,
    required=True,
    metavar="NAMA=BERKAS",
    help=_("Pemegang dan berkas bagiannya, sebaiknya di flashdisknya sendiri; dua sampai enam belas kali."),
)
@click.option("--root", type=_FILE, default=None, help=_("Berkas kunci akar; bawaan di folder data."))
@click.option(
    "--from",
    "earlier",
    type=_FILE,
    multiple=True,
    help=_("Pengganti --root bila sudah pernah dibagi: dua berkas bagian, disebut dua kali."),
)
@speak_errors
def share(data: Path, holders: tuple[str, ...], root: Path | None, earlier: tuple[Path, ...]) -> None:
    from hub import keyring, root_shares
    from hub.sharing import hand_out
    from hub.wiring import now_ms

    wanted = [_holder(told) for told in holders]
    with _opened(data) as made:
        if earlier:
            opened = [_unlocked(path) for path in earlier]
            key = root_shares.joined([one.words for one in opened], made.config.keyset.root)
        else:
            key = keyring.read_root(made.config, root)
        lying = made.config.data / "keys" / keyring.ROOT_FILE
        plain = [path for path in dict.fromkeys((root, lying)) if path is not None and path.exists()]
        left = hand_out(made.engine, made.config, key, wanted, _new_passphrase, plain, now_ms())
    click.echo(
        _("Kunci akar dibagi kepada %(count)s orang; dua di antaranya cukup.") % {"count": len(wanted)}
    )
    for path in plain:
        if path in left:
            click.echo(_OPEN % {"path": path}, err=True)
        else:
            click.echo(
                _("%(path)s dihapus. Musnahkan juga salinan lain kunci akar, termasuk cadangan lama.")
                % {"path": path}
            )


@keys.command(help=_("Mengusulkan daftar kunci baru; belum ada yang berlaku."))
@DATA
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@changes
@click.option("--upstream", is_flag=True, help=_("Desa juga menulis paket data untuk pusat di atas."))
@click.option("--by", default=getpass.getuser, help=_("Nama pengusul; bawaan nama akun di komputer ini."))
@click.option("--reason", default="", help=_("Mengapa; dibaca yang menyetujui."))
@speak_errors
def propose(data: Path, file: Path, upstream: bool, by: str, reason: str, **told: Any) -> None:
    import dataclasses

    from content_packs.store import write_safely
    from hub import audit, rotation
    from hub import upstream as relay
    from hub.errors import HubError
    from hub.wiring import now_ms
    from sync.errors import N_

    if file.exists():
        raise HubError(N_("Berkas %(path)s sudah ada. Pilih nama lain."), path=file)
    change = change_of(told)
    with _opened(data) as made:
        if upstream:
            above = relay.find(made.engine, made.config)
            if above is None:
                raise HubError(N_("Pusat ini belum terhubung ke pusat di atasnya."))
            change = dataclasses.replace(change, add_upstream=above.keyset.intake)
        proposal = rotation.propose(made.config, change, by, reason, now_ms())
        audit.note(made.engine, made.config, by, "keys.propose", _about(proposal), now_ms())
        write_safely(file, proposal.data())
    _print(proposal)
    click.echo(
        _("Usulan ditulis ke %(path)s. Dua pemegang bagian kunci kini memeriksanya.") % {"path": file}
    )


@keys.command(help=_("Memperlihatkan persis apa yang diubah sebuah usulan; dapat di komputer mana pun."))
@click.argument("file", type=_FILE)
@speak_errors
def review(file: Path) -> None:
    from hub import proposals

    _print(proposals.read(file.read_bytes()))


@keys.command(help=_("Menyetujui sebuah usulan dengan bagian kunci sendiri; dapat di komputer mana pun."))
@click.argument("file", type=_FILE)
@_FROM
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    envvar="LONTAR_HUB_DATA",
    help=_("Folder data pusat, bila dijalankan di sana: usulan basi ditolak dan persetujuan dicatat."),
)
@click.option("--yes", is_flag=True, help=_("Tanpa bertanya."))
@speak_errors
def approve(file: Path, share_file: Path, data: Path | None, yes: bool) -> None:
    from content_packs.store import write_safely
    from hub import audit, proposals, root_shares, rotation
    from hub.wiring import now_ms

    proposal = proposals.read(file.read_bytes())
    _print(proposal)
    if not yes:
        click.confirm(_("Menyetujui persis perubahan ini?"), abort=True, err=True)
    held = _unlocked(share_file)
    approved = proposals.approve(proposal, held, now_ms())
    if data is not None:
        with _opened(data) as made:
            rotation.refuse_stale(made.config, approved)
            proposals.approved_by(
                approved, root_shares.holders_of(made.config.data, made.config.keyset.root)
            )
            audit.note(made.engine, made.config, held.name, "keys.approve", _about(approved), now_ms())
    write_safely(file, approved.data())
    count = len(approved.approvals)
    click.echo(
        _("%(name)s menyetujui: %(count)s dari %(needed)s persetujuan.")
        % {"name": held.name, "count": count, "needed": root_shares.NEEDED}
    )


@keys.command(
    help=_(
        "Memberlakukan usulan yang disetujui dua orang. Salinan yang disetujui terpisah disebut semuanya."
    )
)
@DATA
@click.argument("files", type=_FILE, nargs=-1, required=True)
@speak_errors
def activate(data: Path, files: tuple[Path, ...]) -> None:
    from hub import proposals, rotation
    from hub.wiring import now_ms

    copies = [proposals.read(path.read_bytes()) for path in files]
    with _opened(data) as made:
        keyset = rotation.activate(made.engine, made.config, copies, now_ms())
    click.echo(
        _("Daftar kunci versi %(version)s berlaku. Jalankan ulang pusat, lalu buat cadangan baru.")
        % {"version": keyset.version}
    )


@keys.command(help=_("Daftar kunci yang berlaku, siapa memegang kunci akar, dan usulan yang menunggu."))
@DATA
@speak_errors
def status(data: Path) -> None:
    from hub import root_shares, rotation
    from hub.config import load
    from hub.keyring import ROOT_FILE
    from sync.keys import fingerprint

    config = load(data)
    keyset = config.keyset
    holders = root_shares.holders_of(data, keyset.root)
    click.echo(_("Daftar kunci versi %(version)s") % {"version": keyset.version})
    click.echo(_("Kunci pusat: %(keys)s") % {"keys": ", ".join(map(fingerprint, keyset.hub_keys))})
    click.echo(
        _("Penerbit: %(keys)s") % {"keys": ", ".join(map(fingerprint, keyset.publisher_keys)) or "-"}
    )
    if holders:
        click.echo(
            _("Kunci akar dibagi kepada: %(names)s. Dua di antaranya cukup.")
            % {"names": ", ".join(one.name for one in holders)}
        )
    else:
        click.echo(
            _("Kunci akar belum dibagi: siapa memegang berkasnya dapat mengganti kunci seorang diri.")
        )
    plain = data / "keys" / ROOT_FILE
    if plain.exists():
        click.echo(_OPEN % {"path": plain}, err=True)
    for proposal in rotation.waiting(config):
        click.echo()
        _print(proposal, with_approvals=False)


def _print(proposal: Proposal, with_approvals: bool = True) -> None:
    from datetime import UTC, datetime

    from hub import proposals

    made = datetime.fromtimestamp(proposal.made_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    click.echo(
        _("Usulan %(number)s: daftar kunci versi %(old)s menjadi %(new)s")
        % {"number": proposal.number, "old": proposal.before.version, "new": proposal.after.version}
    )
    click.echo(_("Diusulkan %(name)s, %(when)s") % {"name": proposal.by, "when": made})
    if proposal.reason:
        click.echo(_("Alasan: %(reason)s") % {"reason": proposal.reason})
    for sentence, values in proposals.differences(proposal):
        click.echo("  " + _(sentence) % values)
    if with_approvals:
        names = ", ".join(one.name for one in proposal.approvals)
        click.echo(_("Disetujui: %(names)s") % {"names": names or _("belum seorang pun")})


def _about(proposal: Proposal) -> str:
    return f"version={proposal.after.version} proposal={proposal.number}"


def _holder(told: str) -> tuple[str, Path]:
    from hub.errors import HubError
    from sync.errors import N_

    name, mark, path = told.partition("=")
    if not (name.strip() and mark and path):
        raise HubError(N_("Tulis pemegang sebagai NAMA=BERKAS, misalnya Budi=/media/BUDI/akar.bagian."))
    return name.strip(), Path(path)


def _new_passphrase(name: str) -> str:
    told: str = click.prompt(
        _("Kata sandi %(name)s") % {"name": name}, hide_input=True, confirmation_prompt=True, err=True
    )
    return told


def _unlocked(path: Path) -> Share:
    from hub import root_shares

    data = path.read_bytes()
    name = root_shares.holder_in(data)
    told: str = click.prompt(_("Kata sandi %(name)s") % {"name": name}, hide_input=True, err=True)
    return root_shares.unlock(data, told)
