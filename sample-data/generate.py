#!/usr/bin/env python3
"""Writes the file trees of the samples from their rosters: for msmail the live postoffice, the staged one and the init
disks, for credential-rotation what each user gets.

    sample-data/generate.py [FOLDER]     default: both folders beside this file

Same rosters, same bytes. The trees stand in the repository; run this after a change here or in the rosters.

Names and sizes follow the public knowledge base (article ids at each rule). Contents do not: where an article gives
an offset, that field is written; every other byte is noise or zero. Nothing here shows a real layout.
"""

import csv
import hashlib
import os
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

NETWORK, POSTOFFICE = "CORP", "HQ"
GATEWAYS = ("SMTP", "FAX")
DELETED_HEXID = 0x07  # one deleted user: the record stays in the ACCESS files (Q87465), the MMF stays behind (Q117693)
WRONG_DISK = ("CARTER", "LINDBERG")  # on the first try the first one's disk carries the second one's CONNECT.GLB
IMAGE_DISK = "ADEYEMI"  # this disk was handed in as an image instead of a folder
SCRIPT_DISK = "MWANGI"  # this one carries a modem script of its own (Q112205)
SEVERAL_DEVICES = "r.shah"  # of credential-rotation: a folder instead of files

# The 19 folders of a postoffice and the 16 below ATT and MAI (Q132744, Q77926).
FOLDERS = (
    "ATT CAL FOLDERS FOLDERS/LOC FOLDERS/PUB GLB GRP HLP INF INI KEY LOG MAI MBG MEM MMF NME P1 TPL USR XTN".split()
    + [f"ATT/AT{digit:X}" for digit in range(16)]
    + [f"MAI/MA{digit:X}" for digit in range(16)]
)

# Files of a fresh 3.5 installation that nobody changes (Q135868).
STATIC = {
    "GLB/ANSISORT.GLB": 795,
    "GLB/C850SORT.GLB": 795,
    "GLB/C850INT.GLB": 795,
    "GLB/C850SCAN.GLB": 795,
    "GLB/DS_MSG.GLB": 32512,
    "GLB/TRANSFIL.GLB": 1603,
    "GLB/WELCOME.GLB": 609,
    "GLB/ERRORADM.GLB": 22272,
    "GLB/ERRORDYN.GLB": 1920,
    "GLB/ENGMAI.GLB": 18304,
    "GLB/ENGMON.GLB": 4096,
    "GLB/DEFAULT.SCR": 2059,
}
HELP = "AFAX AMCI AMHS AMSM AOV APROFS AREM ASMTP ASNADS AX400".split()  # with every 3.5, whatever is installed (Q135868)
TEMPLATES = "FAX PROFS SMTP X400".split()  # no evidence of a gateway on 3.5, for the same reason


def noise(seed, size):
    """Bytes that depend on the seed alone."""
    return hashlib.shake_128(seed.encode()).digest(size)


def sparse(seed, size, head=64):
    """A little noise, then zeros: large files that stay small in the repository."""
    return noise(seed, min(head, size)).ljust(size, b"\0")


class Tree:
    """A folder under construction; a path is written once."""

    def __init__(self, root):
        self.root = root
        root.mkdir(parents=True)

    def put(self, path, content=b""):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "xb") as file:
            file.write(content)

    def mailbag(self, hexid, headers=()):
        """KEY: exactly 560 bytes (Q118619); all zero with an empty MBG is a clean mailbag (Q104279).
        MBG: 116 bytes a header (Q87417)."""
        self.put(f"KEY/{hexid}.KEY", bytes(560))
        self.put(f"MBG/{hexid}.MBG", b"".join(headers))

    def populate(self):
        """One byte in every folder (Q135868): it keeps empty folders alive, in a repository too."""
        for folder, _, _ in os.walk(self.root):
            Path(folder, "POPULATE.MSM").write_bytes(b"\r")


def people(rosters):
    with open(rosters / "users.csv", encoding="cp850", newline="") as file:
        users = list(csv.DictReader(file, delimiter=";"))
    with open(rosters / "async-admins.csv", encoding="utf-8-sig", newline="") as file:
        peers = list(csv.DictReader(file))
    return users, peers


def network_record(name, active=True, xtn="", mailbag=""):
    """122 bytes: status at 0, type at 1 (left zero: only two codes are public), name at 2, XTN id at 0x0D, mailbag id
    at 0x21 (Q148666)."""
    record = bytearray(122)
    record[0] = active
    record[2 : 2 + len(name)] = name.encode("ascii")
    record[0x0D : 0x0D + len(xtn)] = xtn.encode("ascii")
    record[0x21 : 0x21 + len(mailbag)] = mailbag.encode("ascii")
    return bytes(record)


def external_record(name, mailbag):
    """698 bytes: status at 0, name at 1, mailbag id at 0x0C (Q86625)."""
    record = bytearray(698)
    record[0] = 1
    record[1 : 1 + len(name)] = name.encode("ascii")
    record[0x0C : 0x0C + 8] = mailbag.encode("ascii")
    return bytes(record)


def header(sender, subject, day, letter):
    """116 bytes: sender at 2, subject at 13, minute, hour, day, month, year at 56 to 64, .MAI id at 67 (Q108027)."""
    record = bytearray(116)
    record[2 : 2 + len(sender)] = sender.encode("ascii")
    record[13 : 13 + len(subject)] = subject.encode("ascii")
    struct.pack_into("<HHHHH", record, 56, (letter * 7) % 60, 8 + letter % 9, day, 11, 2026)
    record[67:75] = f"{letter:08X}".encode("ascii")
    return bytes(record)


def master(staged):
    """176 bytes (Q77926): gateway flags at 0x93 (Q148666), enhanced security at 0x94 (Q104586). The two differ in a
    dozen bytes at places the seed chose: where the serial number stands is not public."""
    content = bytearray(noise("MASTER.GLB", 176))
    if staged:
        for place, value in zip(noise("MASTER.GLB places", 12), noise("MASTER.GLB values", 12)):
            content[place % 0x93] ^= value | 1
    content[0x93] = 0x61  # no Mail Connection gateway: bit 0x10 is off
    content[0x94] = 0x01
    return bytes(content)


def access(tree, records):
    """586, 69 and 512 bytes a user, one record more for each deleted one (Q87402, Q87465)."""
    for name, size in (("ACCESS", 586), ("ACCESS2", 69), ("ACCESS3", 512)):
        tree.put(f"GLB/{name}.GLB", b"".join(noise(f"{name} {record}", size) for record in records))


def base(tree, staged):
    """What both trees have."""
    for folder in FOLDERS:
        (tree.root / folder).mkdir(parents=True, exist_ok=True)
    for path, size in STATIC.items():
        tree.put(path, sparse(path, size, 1603))
    for name in HELP:
        tree.put(f"HLP/{name}.HLP", b"Sample help.\r\n")
    for name in TEMPLATES:
        tree.put(f"TPL/{name}.TPL", b"Sample~Template~\r\n")
    for name in ("REQTRANS", "SRVTRANS", "USRTRANS", "GWTRANS", "NMETRANS"):
        tree.put(f"GLB/{name}.GLB")
    for name in ("GLOBAL", "REQCONF", "PROCESS"):
        tree.put(f"GLB/{name}.GLB", sparse(name, 512))
    tree.put("GLB/MASTER.GLB", master(staged))
    tree.put("GLB/MODEM.GLB", noise("MODEM", 64))
    for name in ("INQUEUE", "INQUEUE3", "SYSTEM"):
        tree.mailbag(name)
    tree.put("NME/VIEW.NME")
    tree.put("FOLDERS/SERIALNO.IDX", bytes(4))
    tree.put("FOLDERS/PUB/FOLDROOT.IDX", bytes(100))
    tree.put("INI/EXTERNAL.INI", b"\r\n\x1a")
    for gateway in GATEWAYS:  # the access component: 4 bytes and 0 bytes (Q87028, Q85349)
        tree.put(f"GLB/{gateway}.GLB", bytes(4))
        tree.put(f"NME/{gateway}.NME")


def counters(tree, next_mailbag, next_letter):
    """CONTROL.GLB: next mailbag id, next letter id (Q87388)."""
    tree.put("GLB/CONTROL.GLB", struct.pack("<II", next_mailbag, next_letter))
    tree.put("GLB/TID.GLB", struct.pack("<I", next_letter))


def user_files(tree, hexid):
    tree.put(f"GRP/{hexid}.GRP", bytes(8))
    tree.put(f"NME/{hexid}.NME")
    tree.put(f"FOLDERS/LOC/{hexid}/{hexid}.IDX", bytes(100))


def live(root, users, peers):
    tree = Tree(root)
    base(tree, staged=False)
    hexids = sorted(int(user["hexid"], 16) for user in users)
    assert DELETED_HEXID not in hexids
    access(tree, sorted(hexids + [DELETED_HEXID]))

    letter, names = 0x3C0, [user["mailbox"] for user in users]
    for number, user in enumerate(users):
        waiting = []
        # Mail that the drain has to fetch: up to three letters for every other mailbag, among them that of the person
        # whose inbox shadowing keeps it there.
        for _ in range(number % 4 if number % 2 else 0):
            letter += 1
            waiting.append(header(names[letter % len(names)], f"Sample letter {letter}", 1 + letter % 23, letter))
            # u16 reference count at 0x0B (Q104423); the file's place by its last digit (Q87378).
            body = bytearray(noise(f"MAI {letter}", 240))
            struct.pack_into("<H", body, 0x0B, 1)
            tree.put(f"MAI/MA{letter % 16:X}/{letter:08X}.MAI", bytes(body))
        tree.mailbag(user["hexid"], waiting)
        user_files(tree, user["hexid"])
        if user["kind"] == "local" and user["mail_store"] == "postoffice":
            # An empty store has about 32 KB (Q93134).
            tree.put(f"MMF/{user['hexid']}.MMF", sparse(f"MMF {user['hexid']}", 32768 + 1024 * (number % 3), 512))
    tree.put(f"MMF/{DELETED_HEXID:08X}.MMF", sparse("MMF of nobody", 32768, 512))

    # User, gateway and external mailbags draw from one counter (Q87388).
    ids = iter(f"{number:08X}" for number in range(max(hexids) + 1, 0x100))
    networks, externals = {NETWORK: "00000001"}, {}
    for peer in peers:
        xtn = networks.setdefault(peer["network"], None) or next(ids)
        networks[peer["network"]] = xtn
        mailbag = next(ids)
        tree.mailbag(mailbag)
        tree.put(f"USR/{mailbag}.USR", b"".join(noise(f"USR {mailbag} {n}", 53) for n in range(3)))
        externals.setdefault(xtn, []).append(external_record(peer["postoffice"], mailbag))
    for xtn, records in externals.items():
        tree.put(f"XTN/{xtn}.XTN", b"".join(records))
    records = [network_record(name, xtn=xtn) for name, xtn in networks.items()]
    records.append(network_record("OLDNET", active=False))
    for gateway in GATEWAYS:
        mailbag = next(ids)
        tree.mailbag(mailbag)
        records.append(network_record(gateway, mailbag=mailbag))
    tree.put("GLB/NETWORK.GLB", b"".join(records))
    counters(tree, int(next(ids), 16), letter + 1)

    entries = len(users) + len(peers)
    address_list = b"".join(noise(f"ADMIN.NME {entry}", 45) for entry in range(entries))
    tree.put("NME/ADMIN.NME", address_list)
    tree.put("NME/ADMINSHD.NME", address_list)  # its shadow (Q85647)
    tree.put("NME/GAL.NME", b"".join(noise(f"GAL.NME {entry}", 45) for entry in range(entries + 12)))
    tree.put("GRP/ADMIN.GRP", bytes(24))
    tree.put("GRP/ADMINSHD.GRP", bytes(24))
    tree.put("GLB/GALINDEX.GLB", noise("GALINDEX", 208 + 6 * entries))
    tree.put("GLB/GALNETPO.GLB", noise("GALNETPO", 120))
    tree.put("GLB/NETPO.GLB", bytes(4) + noise("NETPO", 43 * len(peers)))
    tree.put("GLB/GROUP.GLB", bytes(4) + noise("GROUP", 51 * 3))
    tree.put("GLB/GRPMEM.GLB", bytes(4) + noise("GRPMEM", 128 * 3))
    tree.put("GLB/FLAG.GLB", bytes(2))
    tree.put("GLB/RNETSEM.GLB", bytes(4))
    tree.put("GLB/RNETWORK.GLB", noise("RNETWORK live", 2048))
    for log in ("SESSION", "SENT", "RECV", "SYSTEM"):
        tree.put(f"LOG/{log}.LOG")
    tree.put("SMTP/LOCAL.CFG", b"sample\r\n")  # the gateways' own folders (Q87028, Q85349)
    tree.put("SMTP/ADDR_MAP.CFG", b"sample\r\n")
    tree.put("FAX/PROFILE.GLB", noise("PROFILE", 128))
    tree.populate()


def staged(root):
    """A fresh installation with the gateways' access components and nothing else (Q135868)."""
    tree = Tree(root)
    base(tree, staged=True)
    access(tree, [0])
    tree.mailbag("00000000")
    user_files(tree, "00000000")
    records = [network_record(NETWORK, xtn="00000001")]
    for number, gateway in enumerate(GATEWAYS, start=1):
        tree.mailbag(f"{number:08X}")
        records.append(network_record(gateway, mailbag=f"{number:08X}"))
    tree.put("GLB/NETWORK.GLB", b"".join(records))
    tree.put("XTN/00000001.XTN")
    counters(tree, len(GATEWAYS) + 1, 1)
    tree.put("NME/ADMIN.NME", noise("ADMIN.NME fresh", 45))
    tree.put("NME/ADMINSHD.NME", noise("ADMIN.NME fresh", 45))
    tree.put("GRP/ADMIN.GRP", bytes(8))
    tree.put("GRP/ADMINSHD.GRP", bytes(8))
    for name in ("GROUP", "GRPMEM", "NETPO"):
        tree.put(f"GLB/{name}.GLB", bytes(4))
    # The address list for remote users, from Remote > Regenerate.
    tree.put("GLB/RNETWORK.GLB", noise("RNETWORK staged", 1420))
    tree.populate()


def disk_files(mailbox, connect_of):
    """What ADMIN's Remote > Init-Disk writes (Q113452). The sizes of ACCESS.MAI and CONTROL.MAI are not public:
    these are ours."""
    files = {
        "RNETWORK.GLB": noise("RNETWORK staged", 1420),
        "CONNECT.GLB": noise(f"CONNECT {connect_of}", 695),
        "ACCESS.MAI": noise(f"ACCESS.MAI {mailbox}", 400),
        "CONTROL.MAI": struct.pack("<II", 1, 1),
        "TRANSFIL": sparse("GLB/TRANSFIL.GLB", 1603, 1603),
        "C850SORT.GLB": sparse("GLB/C850SORT.GLB", 795, 1603),
    }
    if mailbox == SCRIPT_DISK:
        files["NAIROBI.SCR"] = b"; sample modem script\r\n"
    return files


def disks(root, corrections, users):
    for mailbox in (user["mailbox"] for user in users if user["kind"] == "remote"):
        wrong, other = WRONG_DISK
        if mailbox == wrong:
            write_folder(corrections / mailbox, disk_files(mailbox, mailbox))
        files = disk_files(mailbox, other if mailbox == wrong else mailbox)
        if mailbox == IMAGE_DISK:
            write_image(root / f"{mailbox}.img", files)
        else:
            write_folder(root / mailbox, files)


def write_folder(folder, files):
    tree = Tree(folder)
    for name, content in files.items():
        tree.put(name, content)


def write_image(image, files):
    """A 360K floppy by mtools, with its times fixed so that the bytes are."""
    stamp = 1795597200  # 2026-11-25 09:00 UTC, the day the disks were made
    environment = dict(os.environ, TZ="UTC", MTOOLSRC=os.devnull, SOURCE_DATE_EPOCH=str(stamp))
    with tempfile.TemporaryDirectory() as folder:
        write_folder(Path(folder, "disk"), files)
        loose = sorted(Path(folder, "disk").iterdir())
        for file in loose:
            os.utime(file, (stamp, stamp))
        for command in (
            ["mformat", "-C", "-f", "360", "-N", "20977CAB", "-i", image, "::"],
            ["mcopy", "-m", "-i", image, *loose, "::"],
        ):
            subprocess.run(command, env=environment, check=True)


def credentials(folder):
    """A profile and a key file for each user, named by the user's id; a folder for whoever has several devices."""
    shutil.rmtree(folder / "credentials", ignore_errors=True)
    root = Tree(folder / "credentials")
    with open(folder / "rosters" / "users.csv", encoding="utf-8", newline="") as file:
        users = [row["id"] for row in csv.DictReader(file)]
    for user in users:
        devices = ("laptop", "tablet") if user == SEVERAL_DEVICES else (user,)
        below = f"{user}/" if user == SEVERAL_DEVICES else ""
        for device in devices:
            profile = f"client\ndev tun\nremote vpn.corp.example 1194\npkcs12 {device}.p12\n"
            root.put(f"{below}{device}.ovpn", profile.encode())
            root.put(f"{below}{device}.p12", noise(f"p12 {user} {device}", 2400))


def main():
    beside = Path(__file__).parent
    folders = [Path(sys.argv[1])] if len(sys.argv) > 1 else [beside / "msmail", beside / "credential-rotation"]
    for folder in folders:
        if (folder / "rosters" / "partners.csv").exists():
            credentials(folder)
        else:
            msmail(folder)


def msmail(folder):
    if shutil.which("mformat") is None:
        sys.exit("generate.py: needs mtools for the disk image (apt-get install mtools)")
    users, peers = people(folder / "rosters")
    for name in ("postoffice", "staged", "disks", "corrections"):
        shutil.rmtree(folder / name, ignore_errors=True)
    live(folder / "postoffice", users, peers)
    staged(folder / "staged")
    disks(folder / "disks", folder / "corrections" / "disks", users)


if __name__ == "__main__":
    main()
