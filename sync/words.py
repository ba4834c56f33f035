"""A key's fingerprint in words, for people who compare it aloud or with a piece of paper. Pure.

Eight everyday words carry the first 64 bits of the same hash that `keys.fingerprint` writes as letters and digits.
No two words begin with the same four letters, and none becomes another one by a single slip. Never change the list:
papers with these words lie in drawers.
"""

from __future__ import annotations

from typing import Final

from sync.keys import fingerprint, sha256

COUNT: Final = 8
"""How many words name a key: 64 bits, since each is one of 256."""

_LIST: Final = """
abad acar adat ajak akhir alis ambil ampas anggur angin angkat antar apel arang arus asam asin atap
ayah ayun badai bagus bahan bahu bakau bakso balok bambu bangku banjir bantal basah batik bawang
bayam bebek beduk bekal belut benang benih beras berita besar besi betis biji bilik biru bola botol
buah bubur budaya bukit buku bulan bunga burung cabai cacing cagar cahaya cair candi cantik cawan
cendol cepat cerah cermin cicak cincin cinta coba coklat contoh cuaca cucu cuka cukup cumi dada
daerah dagang daki dalam damai danau dapur darat daun dayung debu denah depan domba duduk dunia
elang ember embun empat encer fajar gabah galon garam garis gempa gitar gosok gulai hakim halus
hasil hemat hewan hijau hilir hitam hotel hujan huruf idola iklan impor indah ingat intan jamur
jarum jeruk jinak joget juara jumat kabut kadal kakak kamar kanan kapas kasur kebun kecap kemah
ketan kilat kolam kubis kulit kursi lampu layar lebah lidah lilin limau lobak logam lukis lurus
lutut mahir makan manis mawar mesin minum mobil modal mulut murid musim nafas nenek niaga nomor
nyala nyiur ombak pahat panah panci papan pasar pedas penyu pesta piala pikir pintu pohon puasa
pukul pulau putih puyuh radio rajin rakit rapat resep rimba rotan ruang rubah rujak sabun sakti
salak salju sawah sayap sayur sehat sejuk semut senja serai siang sikat singa sirih sisir sukun
sumur surat sutra taman tekun telur tempe tikar tikus tiram titik tujuh tulis tunas turun tutup
udang udara ujung usaha utama waduk wajan waktu walet wangi warna yakin zebra
"""

WORDS: Final = tuple(_LIST.split())


def words_of(public_key: bytes) -> tuple[str, ...]:
    """The words that name a key."""
    return tuple(WORDS[byte] for byte in sha256(public_key)[:COUNT])


def spoken(public_key: bytes) -> str:
    """The words as they are printed and read out: in two groups of four."""
    words = words_of(public_key)
    return " · ".join(" ".join(words[at : at + 4]) for at in range(0, COUNT, 4))


def qr_text(public_key: bytes) -> str:
    """What the square code beside the words says; only signs that such codes hold cheaply."""
    return f"LONTAR:{fingerprint(public_key)}"
