"""What stands between the server and others: firewalls, pgbouncer, Sentinel."""

from __future__ import annotations

import configparser
import os
import re
import socket
import subprocess
from pathlib import Path
from typing import Final

from tests.deploy.copies import ETC, adapted, free_ports, is_open
from tests.house.clients import PATIENCE, WebSocket
from tests.house.server import Server
from tests.postgres import Cluster, until

_NGINX: Final = (ETC / "nginx" / "nginx.conf").read_text()
_HAPROXY: Final = (ETC / "haproxy" / "haproxy.cfg").read_text()
#: What the fronts listen on, and ssh.
_OPEN: Final = {"22", *re.findall(r"listen (\d+)", _NGINX)}


def test_fronts_are_on_the_same_ports() -> None:
    assert set(re.findall(r"bind :(\d+)", _HAPROXY)) | {"22"} == _OPEN


def test_ufw_opens_what_the_fronts_have(tmp_path: Path) -> None:
    """And nothing else; ssh before the wall is up."""
    asked = tmp_path / "asked"
    (tmp_path / "ufw").write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    (tmp_path / "ufw").chmod(0o755)
    path = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    subprocess.run([ETC / "firewall" / "ufw.sh"], env=path, check=True, timeout=PATIENCE)
    said = asked.read_text().splitlines()
    assert said[0] == "default deny incoming"
    assert said[-1] == "--force enable"
    assert {port for line in said for port in re.findall(r"^(?:allow|limit) (\d+)/tcp", line)} == _OPEN


def test_nftables_opens_what_the_fronts_have(nft: Path) -> None:
    """The program takes the file, in a network of its own; what it lets in is the same."""
    rules = ETC / "firewall" / "nftables.conf"
    run = subprocess.run(["unshare", "-rn", nft, "-c", "-f", rules], capture_output=True, text=True, timeout=PATIENCE)
    assert run.returncode == 0, run.stderr
    said = [line for line in rules.read_text().splitlines() if "dport" in line and "#" not in line]
    assert {port for line in said for port in re.findall(r"\d+", line.split("dport")[1].split("ct")[0])} == _OPEN
    assert "policy drop" in rules.read_text()


def test_pgbouncer(pgbouncer: Path, cluster: Cluster, tmp_path: Path) -> None:
    """With its file and a password, between a server and its database: it starts, plays, and keeps what was played."""
    password = "a long one for pgbouncer"
    cluster.ask(f"CREATE ROLE mythos LOGIN PASSWORD '{password}'")
    cluster.ask("CREATE DATABASE mythos OWNER mythos")
    (port,) = free_ports(1)
    users, ini = cluster.home / "userlist.txt", cluster.home / "pgbouncer.ini"
    users.write_text(f'"mythos" "{password}"\n')
    ini.write_text(
        adapted(
            ETC / "pgbouncer" / "pgbouncer.ini",
            {
                "host=127.0.0.1 port=5432": f"host={cluster.home}",
                "listen_port = 6432": f"listen_port = {port}",
                "/etc/pgbouncer/userlist.txt": str(users),
            },
        )
    )
    database = {"DATABASE_URL": f"postgresql://mythos@127.0.0.1:{port}/mythos", "DB_PASSWORD": password}
    user = "postgres" if os.geteuid() == 0 else None
    with (tmp_path / "pgbouncer.log").open("wb") as log:
        process = subprocess.Popen([pgbouncer, ini], user=user, cwd=cluster.home, stdout=log, stderr=log)
    try:
        until(lambda: is_open(port))
        with Server(tmp_path / "data", env=database) as house:
            ann = WebSocket(house.ports["http"], house.post("/api/v1/guest")["token"])
            ann.command("say here")
            assert house.stop() == 143
            house.start()
            assert WebSocket(house.ports["http"], ann.token, epoch=ann.epoch, last=ann.last).hello["resumed"] is True
            assert "postgresql://" in house.log.read_text()
    finally:
        process.terminate()
        process.wait(PATIENCE)
        cluster.drop("mythos")
        cluster.ask("DROP ROLE mythos")


def test_pgbouncer_is_where_the_guide_says() -> None:
    """The address of its header is its own, and the mode is the one that the server takes."""
    path = ETC / "pgbouncer" / "pgbouncer.ini"
    found = configparser.ConfigParser(comment_prefixes=(";",))
    found.read_string(path.read_text())
    own = found["pgbouncer"]
    assert f"DATABASE_URL=postgresql://mythos@{own['listen_addr']}:{own['listen_port']}/mythos" in path.read_text()
    assert own["pool_mode"] == "session"


def test_sentinel(redis_sentinel: Path, tmp_path: Path) -> None:
    """It takes the file, and says where the Redis is that it watches."""
    (port,) = free_ports(1)
    config = tmp_path / "sentinel.conf"
    changes = {"port 26379": f"port {port}", "dir /var/lib/redis": f"dir {tmp_path}"}
    config.write_text(adapted(ETC / "redis" / "sentinel.conf", changes))
    with (tmp_path / "sentinel.log").open("wb") as log:
        process = subprocess.Popen([redis_sentinel, config], stdout=log, stderr=log)
    try:
        until(lambda: is_open(port), PATIENCE)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as line:
            line.sendall(b"SENTINEL get-master-addr-by-name mythos\r\n")
            assert line.recv(1000) == b"*2\r\n$9\r\n127.0.0.1\r\n$4\r\n6379\r\n"
    finally:
        process.terminate()
        process.wait(PATIENCE)
