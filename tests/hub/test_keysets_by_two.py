"""A new keyset where the root key is shared: one proposes, two approve, nobody alone can.

What writes into the database runs on both.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from centre import made_hub
from click.testing import CliRunner, Result
from shamir_mnemonic import combine_mnemonics
from test_audit import acts, verified

from hub import keyring, proposals, root_shares, rotation, sharing, wiring
from hub.cli import hub as group
from hub.db import reading
from hub.errors import HubError
from hub.keyring import Change
from hub.queries import said
from hub.wiring import Hub
from sync.decisions import KeysRotated
from sync.errors import LontarError, SignatureError
from sync.keys import SigningKey
from sync.keyset import open_keyset

NAMES = ("Budi", "Siti", "Made")
PUBLISHER = b"p" * 32


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Hub]:
    made = made_hub(tmp_path / "hub")
    yield made
    made.close()


def word(name: str) -> str:
    return f"empat kata acak {name}"


def lontar(
    hub: Hub, command: str, *words: str | Path, typed: Sequence[str] = (), data: bool = True
) -> Result:
    arguments = ["keys", command, *map(str, words)]
    arguments += ["--data", str(hub.config.data)] if data else []
    result = CliRunner().invoke(group, arguments, input="".join(f"{line}\n" for line in typed))
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def shares(folder: Path) -> dict[str, Path]:
    return {name: folder / f"{name}.bagian" for name in NAMES}


def handed_out(hub: Hub, folder: Path) -> dict[str, Path]:
    """The shares of this hub's root key, each closed by its holder's own words."""
    files = shares(folder)
    told = [part for name, path in files.items() for part in ("--to", f"{name}={path}")]
    typed = [line for name in NAMES for line in (word(name), word(name))]
    result = lontar(hub, "share", *told, typed=typed)
    assert result.exit_code == 0, result.stderr
    return files


def proposed(hub: Hub, folder: Path, *change: str, name: str = "baru") -> Path:
    file = folder / f"{name}.usulan"
    options = change or ("--publisher", PUBLISHER.hex())
    result = lontar(hub, "propose", file, *options, "--by", "Rini", "--reason", "penerbit kedua")
    assert result.exit_code == 0, result.stderr
    return file


def approved(hub: Hub, file: Path, share: Path, data: bool = False) -> Result:
    return lontar(hub, "approve", file, "--share", share, "--yes", typed=[word(share.stem)], data=data)


def state(hub: Hub) -> dict[str, bytes]:
    """Everything of the data folder that a keyset is about."""
    return {
        str(path.relative_to(hub.config.data)): path.read_bytes()
        for path in sorted(hub.config.data.rglob("*"))
        if path.suffix in (".key", ".cose")
    }


def refused(hub: Hub, *files: Path) -> str:
    """What `activate` says when it changes nothing."""
    before = state(hub)
    result = lontar(hub, "activate", *files)
    assert result.exit_code != 0
    assert state(hub) == before
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_two_people_put_in_force_what_a_third_proposed(hub: Hub, tmp_path: Path) -> None:
    old = hub.config.keyset
    files = handed_out(hub, tmp_path)
    file = proposed(hub, tmp_path, "--hub-key", "--intake", "--publisher", PUBLISHER.hex())
    review = lontar(hub, "review", file, data=False)
    assert review.exit_code == 0
    assert "versi 1 menjadi 2" in review.stdout and "penerbit kedua" in review.stdout
    assert review.stdout.count("  + ") == 2 and review.stdout.count("  * ") == 2
    for name in ("Siti", "Made"):
        assert approved(hub, file, files[name]).exit_code == 0
    result = lontar(hub, "activate", file)
    assert result.exit_code == 0, result.stderr
    new = open_keyset((hub.config.data / "keyset.cose").read_bytes(), old)
    assert (new.version, new.root, new.hub_keys[1:]) == (2, old.root, old.hub_keys)
    assert new.intake != old.intake and new.publisher_keys == (*old.publisher_keys, PUBLISHER)
    again = wiring.open_hub(hub.config.data)
    assert again.config.hub_key.public == new.hub_keys[0]
    assert {old.intake, new.intake} <= {key.public for key in again.config.opening_keys}
    again.close()
    with pytest.raises(SignatureError):
        open_keyset(hub.config.keyset_data, new)


def test_every_step_is_in_the_audit_log_and_villages_are_told_once(hub: Hub, tmp_path: Path) -> None:
    files = handed_out(hub, tmp_path)
    file = proposed(hub, tmp_path)
    approved(hub, file, files["Budi"], data=True)
    approved(hub, file, files["Siti"], data=True)
    for _ in range(2):
        assert lontar(hub, "activate", file).exit_code == 0, "it may be said twice"
    assert [(act.operator, act.act) for act in acts(hub)] == [
        ("Budi", "keys.share"),
        ("Rini", "keys.propose"),
        ("Budi", "keys.approve"),
        ("Siti", "keys.approve"),
        ("Rini", "keys.activate"),
    ]
    assert "approved=Budi, Siti" in acts(hub)[-1].about
    assert verified(hub) == 5
    with reading(hub.engine) as connection:
        told = [one.kind for one in said.in_scope(connection, "", 100)]
    assert [kind.keyset_version for kind in told if isinstance(kind, KeysRotated)] == [2]


def test_one_person_alone_can_t(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    file = proposed(centre, tmp_path)
    assert "Baru 0 dari 2" in refused(centre, file)
    approved(centre, file, files["Budi"])
    assert "Baru 1 dari 2" in refused(centre, file)


def test_the_same_person_twice_can_t(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    file, copy = proposed(centre, tmp_path), tmp_path / "salinan.usulan"
    copy.write_bytes(file.read_bytes())
    approved(centre, file, files["Budi"])
    before = file.read_bytes()
    again = approved(centre, file, files["Budi"])
    assert again.exit_code == 1 and "orang lain" in again.stderr
    assert file.read_bytes() == before
    approved(centre, copy, files["Budi"])
    assert "Baru 1 dari 2" in refused(centre, file, copy)


def test_copies_that_were_approved_apart_count_together(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    file, copy = proposed(centre, tmp_path), tmp_path / "salinan.usulan"
    copy.write_bytes(file.read_bytes())
    approved(centre, file, files["Budi"])
    approved(centre, copy, files["Made"])
    assert lontar(centre, "activate", copy, file).exit_code == 0


def test_a_changed_proposal_is_refused(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    file, other = proposed(centre, tmp_path), proposed(centre, tmp_path, "--hub-key", name="lain")
    for name in ("Budi", "Siti"):
        approved(centre, file, files[name])
    mine, theirs = json.loads(file.read_bytes()), json.loads(other.read_bytes())
    file.write_text(json.dumps(mine | {"content": theirs["content"]}))
    assert "berubah sesudah disetujui" in refused(centre, file)
    # Another publisher, put in where nobody has approved yet.
    content = bytearray(base64.b64decode(theirs["content"]))
    content[content.rindex(centre.config.keyset.publisher_keys[0])] ^= 1
    file.write_text(json.dumps(theirs | {"content": base64.b64encode(content).decode()}))
    assert "berubah" in refused(centre, file)


def test_words_for_one_proposal_don_t_open_another(centre: Hub, tmp_path: Path) -> None:
    """Who sees the one-time keys of two proposals still can't carry a share from one to the other."""
    files = handed_out(centre, tmp_path)
    share = root_shares.unlock(files["Budi"].read_bytes(), word("Budi"))
    one, other = (
        rotation.propose(centre.config, Change(new_hub_key=True), by, "", 1) for by in ("Rini", "Tono")
    )
    (approval,) = proposals.approve(one, share, 1).approvals
    with pytest.raises(HubError):
        proposals.parsed(other.content, [proposals._approval(approval.envelope, other.content)])


def test_a_stale_proposal_is_refused(hub: Hub, tmp_path: Path) -> None:
    files = handed_out(hub, tmp_path)
    first, second = proposed(hub, tmp_path), proposed(hub, tmp_path, "--hub-key", name="lain")
    for file, name in itertools.product((first, second), ("Budi", "Siti")):
        approved(hub, file, files[name])
    assert lontar(hub, "activate", first).exit_code == 0
    assert "yang berlaku versi 2" in refused(hub, second)
    late = approved(hub, second, files["Made"], data=True)
    assert late.exit_code == 1 and "versi 2" in late.stderr


def test_a_lost_share_is_no_loss_while_two_remain(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    files.pop("Budi").unlink()
    told = [
        part for name in ("Siti", "Made", "Rini") for part in ("--to", f"{name}={tmp_path / f'{name}.2'}")
    ]
    typed = [word("Siti"), word("Made"), *(word(f"baru {name}") for name in ("S", "S", "M", "M", "R", "R"))]
    earlier = ("--from", files["Siti"], "--from", files["Made"])
    result = lontar(centre, "share", *told, *earlier, typed=typed)
    assert result.exit_code == 0, result.stderr
    file = proposed(centre, tmp_path)
    approved(centre, file, files["Made"])
    approved(centre, file, files["Siti"])
    assert "bukan dari pemegang bagian kunci yang sekarang" in refused(centre, file), (
        "shares before the last sharing"
    )
    file = proposed(centre, tmp_path, name="lagi")
    for name, said_by in (("Rini", "R"), ("Siti", "S")):
        words = [word(f"baru {said_by}")]
        result = lontar(
            centre, "approve", file, "--share", tmp_path / f"{name}.2", "--yes", typed=words, data=False
        )
        assert result.exit_code == 0, result.stderr
    assert lontar(centre, "activate", file).exit_code == 0


def test_a_single_share_can_t_be_shared_anew(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    told = ("--to", f"A={tmp_path / 'a'}", "--to", f"B={tmp_path / 'b'}")
    for earlier in ([files["Budi"]], [files["Budi"]] * 2):
        result = lontar(
            centre,
            "share",
            *told,
            *(part for path in earlier for part in ("--from", path)),
            typed=[word("Budi")] * len(earlier),
        )
        assert result.exit_code == 1 and "bukan dua bagian berbeda" in result.stderr
    assert not (tmp_path / "a").exists()


def test_after_sharing_no_file_of_the_hub_holds_the_root_key(centre: Hub, tmp_path: Path) -> None:
    path = centre.config.data / "keys" / keyring.ROOT_FILE
    seed = bytes.fromhex(path.read_text().strip())
    assert "PERHATIAN" in lontar(centre, "status").stderr
    handed_out(centre, tmp_path)
    result = lontar(centre, "status")
    assert "PERHATIAN" not in result.stderr
    assert "Budi, Siti, Made" in result.stdout
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert seed not in file.read_bytes() and seed.hex().encode() not in file.read_bytes(), file


def test_one_person_s_way_is_closed_once_the_key_is_shared(centre: Hub, tmp_path: Path) -> None:
    root = centre.config.data / "keys" / keyring.ROOT_FILE
    kept = tmp_path / "kept.key"
    kept.write_bytes(root.read_bytes())
    assert lontar(centre, "rotate", "--hub-key").exit_code == 0
    handed_out(centre, tmp_path)
    before = state(centre)
    result = lontar(centre, "rotate", "--hub-key", "--root", kept)
    assert result.exit_code == 1 and "perlu dua orang" in result.stderr
    assert state(centre) == before


def test_who_never_shared_the_key_can_t_propose(centre: Hub, tmp_path: Path) -> None:
    result = lontar(centre, "propose", tmp_path / "x.usulan", "--hub-key")
    assert result.exit_code == 1 and "belum dibagi" in result.stderr
    assert not (tmp_path / "x.usulan").exists()


@pytest.mark.parametrize(
    ("to", "typed", "sentence"),
    [
        (["Budi"], [], "NAMA=BERKAS"),
        (["Budi={0}/a"], [], "2 sampai 16"),
        (["Budi={0}/a", "budi={0}/b"], [], "nama yang berbeda"),
        (["Budi={0}/a", "Siti={0}/a"], [], "sudah ada"),
        (["Budi={0}/a", "Siti={0}/b"], ["pendek", "pendek"], "paling sedikit 16"),
        (["Budi={0}/a", "Siti={0}/b"], ["sama sama sama sama"] * 4, "pemegang lain"),
    ],
)
def test_a_sharing_that_can_t_be_changes_nothing(
    centre: Hub, tmp_path: Path, to: list[str], typed: list[str], sentence: str
) -> None:
    before = state(centre)
    told = [part for one in to for part in ("--to", one.format(tmp_path))]
    result = lontar(centre, "share", *told, typed=typed)
    assert result.exit_code == 1 and sentence in result.stderr
    assert state(centre) == before
    assert not (tmp_path / "a").exists()


def test_a_wrong_passphrase_or_a_changed_share_opens_nothing(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    file = proposed(centre, tmp_path)
    before = file.read_bytes()
    typed = [word("Siti")]
    result = lontar(centre, "approve", file, "--share", files["Budi"], "--yes", typed=typed, data=False)
    assert result.exit_code == 1 and "Kata sandi bagian milik Budi salah" in result.stderr
    told = json.loads(files["Budi"].read_bytes())
    files["Budi"].write_text(json.dumps(told | {"name": "Siti"}))
    assert approved(centre, file, files["Budi"]).exit_code == 1
    files["Made"].write_text("{")
    assert "bukan bagian kunci akar" in approved(centre, file, files["Made"]).stderr
    assert file.read_bytes() == before


def test_an_interrupted_activation_is_finished_by_saying_it_again(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = handed_out(hub, tmp_path)
    file = proposed(hub, tmp_path, "--hub-key")
    for name in ("Budi", "Siti"):
        approved(hub, file, files[name])

    class PowerCutError(Exception):
        pass

    def cut(*_: object) -> None:
        raise PowerCutError

    copies = [proposals.read(file.read_bytes())]
    for step in ("write_safely", "tell"):
        with monkeypatch.context() as patched, pytest.raises(PowerCutError):
            patched.setattr(keyring, step, cut)
            rotation.activate(hub.engine, hub.config, copies, 1)
    assert lontar(hub, "activate", file).exit_code == 0
    with reading(hub.engine) as connection:
        told = [one.kind for one in said.in_scope(connection, "", 100)]
    assert [kind.keyset_version for kind in told if isinstance(kind, KeysRotated)] == [2]
    assert not (hub.config.data / rotation.FOLDER).exists()


def test_a_publisher_may_be_shown_out(centre: Hub, tmp_path: Path) -> None:
    files = handed_out(centre, tmp_path)
    (publisher,) = centre.config.keyset.publisher_keys
    unknown = lontar(centre, "propose", tmp_path / "x.usulan", "--remove-publisher", PUBLISHER.hex())
    assert unknown.exit_code == 1 and "tidak ada dalam daftar kunci" in unknown.stderr
    file = proposed(centre, tmp_path, "--remove-publisher", publisher.hex())
    assert "tidak lagi menerima pelatihan darinya" in lontar(centre, "status").stdout
    for name in ("Budi", "Siti"):
        approved(centre, file, files[name])
    assert lontar(centre, "activate", file).exit_code == 0
    assert open_keyset((centre.config.data / "keyset.cose").read_bytes()).publisher_keys == ()


@pytest.mark.parametrize(
    "data", [b"", b"{}", b'{"format":"lontar-usulan-1","content":"AAAA","approvals":[]}']
)
def test_what_is_no_proposal_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(LontarError):
        proposals.read(data)


def test_the_library_makes_what_the_standard_says() -> None:
    """SLIP-39's own test vectors, number 4: basic sharing 2-of-3 of 128 bits."""
    shares_of_vector = [
        "shadow pistol academic always adequate wildlife fancy gross oasis cylinder mustang wrist rescue view "
        "short owner flip making coding armed",
        "shadow pistol academic acid actress prayer class unknown daughter sweater depict flip twice unkind craft "
        "early superior advocate guest smoking",
    ]
    secret = combine_mnemonics(shares_of_vector, b"TREZOR")
    assert secret.hex() == "b43ceb7e57a0ea8766221624d01b0864"


def test_any_two_shares_make_the_root_key_and_no_share_alone(centre: Hub) -> None:
    root = SigningKey.generate(centre.config.random_bytes)
    parts = root_shares.split(root, NAMES, centre.config.random_bytes)
    for one, other in itertools.permutations(parts, 2):
        assert root_shares.joined([one.words, other.words], root.public).seed == root.seed
    others = root_shares.split(root, NAMES, centre.config.random_bytes)
    for words in ([parts[0].words], [parts[0].words] * 2, [parts[0].words, others[1].words]):
        with pytest.raises(HubError):
            root_shares.joined(words, root.public)


def test_a_root_key_on_a_locked_stick_is_named(centre: Hub, tmp_path: Path) -> None:
    """Where the file can't be opened for writing it stays, and the shares are good all the same."""
    root = centre.config.data / "keys" / keyring.ROOT_FILE
    key = keyring.read_root(centre.config, None)
    locked = tmp_path / "locked"
    locked.mkdir()
    holders = list(shares(tmp_path).items())
    left = sharing.hand_out(centre.engine, centre.config, key, holders, word, [root, locked], 1)
    assert left == [locked] and not root.exists()
    assert len(root_shares.holders_of(centre.config.data, key.public)) == len(NAMES)
