#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A peer of Debian's libtorrent with its stock settings (package python3-libtorrent).

    stock_peer.py torrent CONTENT                          writes CONTENT.torrent
    stock_peer.py seed|fetch FILE CONTENT LISTEN [PEER ...]  says "ready", waits for a line, says "done"
"""
import os
import sys
import time

import libtorrent as lt


def make_torrent(content):
    files = lt.file_storage()
    lt.add_files(files, content)
    torrent = lt.create_torrent(files, 256 << 10, lt.create_torrent.v1_only)
    lt.set_piece_hashes(torrent, os.path.dirname(content))
    with open(content + ".torrent", "wb") as file:
        file.write(lt.bencode(torrent.generate()))


def endpoint(text):
    address, port = text.rsplit(":", 1)
    return address, int(port)


def carry(role, file, content, listen, peers):
    session = lt.session({"listen_interfaces": listen, "enable_dht": False, "enable_lsd": False,
                          "enable_upnp": False, "enable_natpmp": False})
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    params = lt.add_torrent_params()
    params.ti = lt.torrent_info(content + ".torrent")
    params.save_path = os.path.dirname(file)
    params.renamed_files = {0: os.path.basename(file)}
    params.flags &= ~(lt.torrent_flags.auto_managed | lt.torrent_flags.paused)
    if role == "seed":
        params.flags |= lt.torrent_flags.seed_mode
    torrent = session.add_torrent(params)
    for peer in peers:
        torrent.connect_peer(endpoint(peer))
    first = None
    while True:
        status = torrent.status()
        if first is None and status.total_done > 0:
            first = time.monotonic() - start
        if status.is_seeding:
            break
        time.sleep(0.05)
    print(f"done complete={time.monotonic() - start} start={first or 0}", flush=True)
    sys.stdin.read()


if sys.argv[1] == "torrent":
    make_torrent(sys.argv[2])
else:
    carry(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5:])
